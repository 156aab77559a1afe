//! `/api/difference`: values that are over-represented in a selection, compared with the other calls.

use std::collections::HashMap;
use std::ops::ControlFlow;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use azmon_envelope::tags;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::items::{of_problem, time_of};
use crate::api::parameters::{Parameters, RANGED};
use crate::api::performance::{SELECTED, Selected};
use crate::server::ApiError;
use crate::store::fields::Column;
use crate::store::search::Expression;
use crate::store::{Item, ItemFilter, ItemKind, Order, Reader};

/// The maximum number of compared items.
const MAX_COMPARED: usize = 5_000;
/// The maximum number of distinct values of a field.
const MAX_VALUES: usize = 300;
/// The maximum number of compared fields.
const MAX_FIELDS: usize = 300;
/// The smallest reported difference of two shares.
const LEAST: f64 = 0.1;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Difference {
    field: String,
    value: String,
    op: &'static str,
    selected: f64,
    rest: f64,
    selected_count: u64,
    rest_count: u64,
}

#[derive(Debug, Serialize)]
struct Differences {
    scope: Scope,
    selected: u64,
    rest: u64,
    differences: Vec<Difference>,
}

/// The counts of the selection and of the rest.
type Pair = [u64; 2];

/// Values by field, counted for both sides.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    totals: Pair,
    values: HashMap<String, HashMap<String, Pair>>,
    numbers: HashMap<String, Vec<(f64, bool)>>,
}

impl Comparison {
    pub(super) fn add(&mut self, item: &Item, is_selected: bool) {
        let side = usize::from(!is_selected);
        self.totals[side] += item.count();
        for column in [
            Column::ResultCode,
            Column::Success,
            Column::Role,
            Column::Instance,
            Column::Version,
            Column::OperationName,
            Column::ClientOs,
            Column::ClientType,
            Column::SyntheticSource,
            Column::User,
            Column::Target,
        ] {
            if let Some(value) = column.of(item) {
                self.value(column.name(), &value.text(), side, item.count());
            }
        }
        for (key, value) in item.envelope().data.properties().iter() {
            match value.parse::<f64>() {
                Ok(number) if number.is_finite() => self.number(key, number, is_selected),
                _ => self.value(key, value, side, item.count()),
            }
        }
        for (key, value) in item.measurements().into_iter().flat_map(|map| map.iter()) {
            self.number(key, *value, is_selected);
        }
    }

    pub(super) fn value(&mut self, field: &str, value: &str, side: usize, weight: u64) {
        const MAX_LENGTH: usize = 200;
        if !self.values.contains_key(field) && self.values.len() >= MAX_FIELDS {
            return;
        }
        let values = self.values.entry(field.to_owned()).or_default();
        let value: String = value.chars().take(MAX_LENGTH).collect();
        if values.contains_key(&value) || values.len() < MAX_VALUES {
            values.entry(value).or_default()[side] += weight;
        }
    }

    fn number(&mut self, field: &str, number: f64, is_selected: bool) {
        if number.is_finite()
            && (self.numbers.contains_key(field) || self.numbers.len() < MAX_FIELDS)
        {
            self.numbers
                .entry(field.to_owned())
                .or_default()
                .push((number, is_selected));
        }
    }

    pub(super) fn differences(self, limit: usize) -> Vec<Difference> {
        let [selected, rest] = self.totals;
        if selected == 0 {
            return Vec::new();
        }
        let share = |count: u64, all: u64| {
            if all > 0 {
                count as f64 / all as f64
            } else {
                0.0
            }
        };
        let mut found = Vec::new();
        for (field, values) in self.values {
            for (value, [of_selected, of_rest]) in values {
                found.push(Difference {
                    field: field.clone(),
                    value,
                    op: "is",
                    selected: share(of_selected, selected),
                    rest: share(of_rest, rest),
                    selected_count: of_selected,
                    rest_count: of_rest,
                });
            }
        }
        for (field, numbers) in self.numbers {
            found.extend(best_cut(&field, numbers));
        }
        found.retain(|difference| difference.selected - difference.rest >= LEAST);
        found.sort_by(|a, b| {
            let by = |difference: &Difference| difference.selected - difference.rest;
            by(b).total_cmp(&by(a)).then_with(|| a.field.cmp(&b.field))
        });
        found.truncate(limit);
        found
    }
}

/// The threshold of a numeric field that best separates the selection from the rest.
fn best_cut(field: &str, mut numbers: Vec<(f64, bool)>) -> Option<Difference> {
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    let selected = numbers
        .iter()
        .filter(|(_, is_selected)| *is_selected)
        .count();
    let rest = numbers.len() - selected;
    if selected == 0 {
        return None;
    }
    let mut below: [usize; 2] = [0, 0];
    let mut best: Option<(f64, f64, &'static str, Pair)> = None;
    for (index, (number, is_selected)) in numbers.iter().enumerate() {
        let is_new = index == 0
            || numbers
                .get(index - 1)
                .is_some_and(|(before, _)| before < number);
        if is_new {
            let share = |count: usize, all: usize| {
                if all > 0 {
                    count as f64 / all as f64
                } else {
                    0.0
                }
            };
            let under = share(below[0], selected) - share(below[1], rest);
            let (gain, op, counts) = if under < 0.0 || index == 0 {
                (-under, "ge", [selected - below[0], rest - below[1]])
            } else {
                (under, "lt", below)
            };
            if best.as_ref().is_none_or(|(known, ..)| gain > *known) {
                best = Some((gain, *number, op, counts.map(|count| count as u64)));
            }
        }
        below[usize::from(!is_selected)] += 1;
    }
    let (_, number, op, [of_selected, of_rest]) = best?;
    Some(Difference {
        field: field.to_owned(),
        value: number.to_string(),
        op,
        selected: of_selected as f64 / selected as f64,
        rest: if rest > 0 {
            of_rest as f64 / rest as f64
        } else {
            0.0
        },
        selected_count: of_selected,
        rest_count: of_rest,
    })
}

/// The conditions of a selection.
struct Selection {
    duration: (Option<i64>, Option<i64>),
    success: Option<bool>,
    expression: Option<Expression>,
    filters: Vec<(String, Expression)>,
    from: Option<i64>,
    to: Option<i64>,
    /// Operations of a problem.
    operations: Option<std::collections::HashSet<String>>,
}

impl Selection {
    fn new(reader: &Reader, ask: &Ask, parameters: &Parameters) -> Result<Self, ApiError> {
        let filter = ask.filter(parameters)?;
        let operations = match parameters.get("problem") {
            Some(_) => {
                let mut of_exceptions = ItemFilter {
                    range: ask.range,
                    ..ItemFilter::default()
                };
                of_problem(reader, parameters, &mut of_exceptions)?;
                let (items, ..) = reader.list(&of_exceptions, Order::Newest, MAX_COMPARED)?;
                Some(
                    items
                        .iter()
                        .filter_map(|item| item.operation_id().map(str::to_owned))
                        .collect(),
                )
            }
            None => None,
        };
        let selection = Self {
            duration: filter.duration,
            success: filter.success,
            expression: filter.expression,
            filters: filter.filters,
            from: parameters.time("selectFrom", ask.now)?,
            to: parameters.time("selectTo", ask.now)?,
            operations,
        };
        let is_given = selection.duration != (None, None)
            || selection.success.is_some()
            || selection.expression.is_some()
            || !selection.filters.is_empty()
            || selection.from.is_some()
            || selection.to.is_some()
            || selection.operations.is_some();
        if !is_given {
            return Err(ApiError::bad_request(
                "a selection is missing: give duration, success, q, f, problem, selectFrom or selectTo",
            ));
        }
        Ok(selection)
    }

    fn has(&self, item: &Item) -> bool {
        let duration = item
            .duration()
            .map(|duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX));
        let time = time_of(item);
        self.duration
            .0
            .is_none_or(|least| duration.is_some_and(|duration| duration >= least))
            && self
                .duration
                .1
                .is_none_or(|most| duration.is_some_and(|duration| duration < most))
            && self
                .success
                .is_none_or(|success| item.success() == Some(success))
            && self
                .expression
                .as_ref()
                .is_none_or(|expression| expression.matches(item))
            && self
                .filters
                .iter()
                .all(|(_, expression)| expression.matches(item))
            && self.from.is_none_or(|from| time >= from)
            && self.to.is_none_or(|to| time < to)
            && self.operations.as_ref().is_none_or(|operations| {
                item.operation_id()
                    .is_some_and(|id| operations.contains(id))
            })
    }
}

const OWN: [&str; 8] = [
    "q",
    "f",
    "duration",
    "success",
    "problem",
    "selectFrom",
    "selectTo",
    "limit",
];

pub(super) async fn difference(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED, &SELECTED, &OWN])?;
    answer(&context, move |_, reader| {
        let ask = Ask::new(reader, &parameters)?;
        let limit = parameters.limit("limit", 20, 100)?;
        let selection = Selection::new(reader, &ask, &parameters)?;
        let selected = Selected::new(&parameters)?;
        let all = ItemFilter {
            app: ask.app.clone(),
            roles: ask.roles.clone(),
            kinds: selected.item_kind().into_iter().collect(),
            range: ask.range,
            name: parameters.owned("op"),
            target: parameters.owned("target"),
            type_name: parameters.owned("type"),
            ..ItemFilter::default()
        };
        let mut comparison = Comparison::default();
        let mut failed_calls: HashMap<String, bool> = HashMap::new();
        let mut count = 0;
        let scanned = reader.matching(&all, Order::Newest, &mut |item, _| {
            let is_selected = selection.has(&item);
            comparison.add(&item, is_selected);
            if let Some(id) = item.tag(tags::OPERATION_ID) {
                failed_calls.insert(id.to_owned(), is_selected);
            }
            count += 1;
            if count < MAX_COMPARED {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        add_failed_dependencies(reader, &ask, &failed_calls, &mut comparison)?;
        let [selected, rest] = comparison.totals;
        Ok(Differences {
            scope: ask.scope(scanned.read, count < MAX_COMPARED && !scanned.is_cut),
            selected,
            rest,
            differences: comparison.differences(limit),
        })
    })
    .await
}

/// Compares the failed dependencies in the transactions of both sides.
fn add_failed_dependencies(
    reader: &Reader,
    ask: &Ask,
    operations: &HashMap<String, bool>,
    comparison: &mut Comparison,
) -> Result<(), ApiError> {
    let filter = ItemFilter {
        app: ask.app.clone(),
        kinds: vec![ItemKind::Dependency],
        success: Some(false),
        range: ask.range,
        ..ItemFilter::default()
    };
    let mut seen = std::collections::HashSet::new();
    let mut count = 0;
    reader.matching(&filter, Order::Newest, &mut |item, _| {
        if let Some(id) = item.operation_id()
            && let Some(is_selected) = operations.get(id)
        {
            let target = item.target().unwrap_or_default();
            let value = format!("{target} {}", item.result_code().unwrap_or_default());
            if seen.insert((id.to_owned(), value.clone())) {
                comparison.value(
                    "failed dependency",
                    value.trim(),
                    usize::from(!is_selected),
                    item.count(),
                );
            }
        }
        count += 1;
        if count < MAX_COMPARED {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_where_the_selection_differs_most() {
        let numbers = (0..20)
            .map(|number| (f64::from(number), number >= 12))
            .collect();
        let cut = best_cut("lines", numbers).unwrap();
        assert_eq!((cut.value.as_str(), cut.op), ("12", "ge"));
        assert_eq!((cut.selected, cut.rest), (1.0, 0.0));
        let numbers = (0..20)
            .map(|number| (f64::from(number), number < 5))
            .collect();
        let cut = best_cut("lines", numbers).unwrap();
        assert_eq!((cut.value.as_str(), cut.op), ("5", "lt"));
        assert!(best_cut("lines", vec![(1.0, false)]).is_none());
    }

    #[test]
    fn values_that_are_equal_on_both_sides_are_omitted() {
        let mut comparison = Comparison {
            totals: [10, 100],
            ..Comparison::default()
        };
        comparison.value("merchant", "m-1", 0, 9);
        comparison.value("merchant", "m-1", 1, 5);
        comparison.value("version", "1.0", 0, 10);
        comparison.value("version", "1.0", 1, 100);
        let differences = comparison.differences(5);
        assert_eq!(differences.len(), 1);
        assert_eq!((differences[0].selected, differences[0].rest), (0.9, 0.05));
    }
}
