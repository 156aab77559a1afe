//! `/api/facets` and `/api/fields`: the values of the matching items, and their fields.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::items::{OWN, of_problem};
use crate::api::numbers::Series;
use crate::api::parameters::{Parameters, RANGED, SEARCHED};
use crate::server::ApiError;
use crate::store::fields::{Column, Field};
use crate::store::{Item, ItemFilter, ItemKind, Order, Reader, SeriesKind};

/// The maximum number of items that are counted individually for facets.
const MAX_COUNTED: usize = 10_000;
/// The maximum number of distinct values of one field.
const MAX_VALUES: usize = 2_000;

#[derive(Debug, Serialize)]
struct FacetValue {
    value: String,
    count: u64,
}

#[derive(Debug, Serialize)]
struct Facet {
    field: String,
    values: Vec<FacetValue>,
    others: u64,
}

#[derive(Debug, Serialize)]
struct Without {
    filter: String,
    total: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Facets {
    scope: Scope,
    total: u64,
    is_exact: bool,
    facets: Vec<Facet>,
    histogram: Vec<Series>,
    without: Vec<Without>,
}

/// Counts by field. Each field counts the items that match all other filters.
pub(super) async fn facets(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(
        query.as_deref(),
        &[&RANGED, &SEARCHED, &OWN, &["field", "top"]],
    )?;
    answer(&context, move |_, reader| facets_of(reader, &parameters)).await
}

const DEFAULT_FIELDS: [&str; 5] = ["itemType", "role", "severity", "resultCode", "success"];
/// The number of properties that are counted by default.
const MOST_FREQUENT: usize = 5;

fn facets_of(reader: &Reader, parameters: &Parameters) -> Result<Facets, ApiError> {
    let ask = Ask::new(reader, parameters)?;
    let mut filter = ask.filter(parameters)?;
    of_problem(reader, parameters, &mut filter)?;
    let top = parameters.limit("top", 10, 100)?;
    let asked: Vec<String> = parameters.all("field").map(str::to_owned).collect();
    let names: Vec<String> = if asked.is_empty() {
        DEFAULT_FIELDS
            .iter()
            .map(|name| (*name).to_owned())
            .collect()
    } else {
        asked.clone()
    };
    let fields: Vec<(String, Field)> = names
        .into_iter()
        .map(|name| (name.clone(), Field::parse(&name)))
        .collect();
    let mut counts: Vec<HashMap<String, u64>> = vec![HashMap::new(); fields.len()];
    let mut keys: HashMap<String, HashMap<String, u64>> = HashMap::new();
    let steps = ask.steps();
    let mut bars: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    let mut without: BTreeMap<String, u64> = BTreeMap::new();
    let mut total = 0;
    let mut read = 0;
    // The index would skip items that fail only one filter, so it gets no filters.
    let filters = std::mem::take(&mut filter.filters);
    let is_simple = filter.is_simple() && filters.is_empty();
    let scanned = reader.items(&filter, Order::Newest, &mut |item, row, _| {
        read += 1;
        let weight = row.weight.max(1).cast_unsigned();
        let failed: Vec<&str> = filters
            .iter()
            .filter(|(_, expression)| !expression.matches(&item))
            .map(|(field, _)| field.as_str())
            .collect();
        if failed.is_empty() {
            total += weight;
            let bar = bars
                .entry(item.kind().as_str())
                .or_insert_with(|| vec![0.0; steps.count]);
            if let Some(bar) = steps.index(row.time).and_then(|index| bar.get_mut(index)) {
                *bar += weight as f64;
            }
        }
        let only = match failed.as_slice() {
            [] => None,
            [first, rest @ ..] if rest.iter().all(|other| other == first) => Some(*first),
            _ => return goes_on(read),
        };
        if let Some(only) = only {
            *without.entry(only.to_owned()).or_default() += weight;
        }
        for ((name, field), counts) in fields.iter().zip(&mut counts) {
            let is_counted = only.is_none_or(|only| only == canonical(name, field));
            if is_counted && let Some(value) = field.of(&item) {
                count(counts, &value.text(), weight);
            }
        }
        if only.is_none() && asked.is_empty() {
            count_properties(&mut keys, &item, weight);
        }
        goes_on(read)
    })?;
    let is_exact = !scanned.is_cut && read < MAX_COUNTED;
    let mut facets: Vec<Facet> = fields
        .iter()
        .zip(counts)
        .map(|((name, _), counts)| facet(name.clone(), counts, top))
        .collect();
    let mut frequent: Vec<_> = keys
        .into_iter()
        .filter(|(_, values)| values.len() > 1)
        .collect();
    frequent.sort_by_key(|(name, values)| {
        (
            std::cmp::Reverse(values.values().sum::<u64>()),
            name.clone(),
        )
    });
    let frequent = frequent.into_iter().take(MOST_FREQUENT);
    facets.extend(frequent.map(|(name, values)| facet(name, values, top)));
    if is_simple && !is_exact {
        total = exact(reader, &ask, &filter, &steps, &mut bars)?;
    }
    let histogram = bars
        .iter()
        .map(|(name, counts)| Series::counts(name, &steps, counts))
        .collect();
    let without = without
        .into_iter()
        .map(|(filter, total)| Without { filter, total });
    Ok(Facets {
        scope: ask.scope(scanned.read, is_exact),
        total,
        is_exact: is_exact || is_simple,
        facets,
        histogram,
        without: if total == 0 {
            without.collect()
        } else {
            Vec::new()
        },
    })
}

fn goes_on(read: usize) -> ControlFlow<()> {
    if read < MAX_COUNTED {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

/// Without words and filters, the rollups contain the exact counts.
fn exact(
    reader: &Reader,
    ask: &Ask,
    filter: &ItemFilter,
    steps: &crate::api::ask::Steps,
    bars: &mut BTreeMap<&'static str, Vec<f64>>,
) -> Result<u64, ApiError> {
    let mut total = 0;
    bars.clear();
    for kind in ItemKind::ALL {
        let accept = |series: &crate::store::Series| filter.accepts(series);
        let mut counts = vec![0.0; steps.count];
        let mut sum = 0;
        reader.rollups(
            SeriesKind::Item(kind),
            (steps.grain, ask.range),
            &accept,
            &mut |time, _, cell| {
                // A metric counts its values.
                let of_kind =
                    if matches!(kind, ItemKind::CustomMetric | ItemKind::PerformanceCounter) {
                        cell.items
                    } else {
                        cell.count
                    };
                sum += of_kind.max(0).cast_unsigned();
                if let Some(bar) = steps.index(time).and_then(|index| counts.get_mut(index)) {
                    *bar += of_kind as f64;
                }
            },
        )?;
        total += sum;
        if sum > 0 {
            bars.insert(kind.as_str(), counts);
        }
    }
    Ok(total)
}

/// The name of the field in filters.
fn canonical<'a>(name: &'a str, field: &'a Field) -> &'a str {
    match field {
        Field::Column(column) => column.name(),
        Field::Key(key) if name.ends_with(key.as_str()) => key,
        Field::Key(key) => key,
    }
}

fn count(counts: &mut HashMap<String, u64>, value: &str, weight: u64) {
    const MAX_VALUE: usize = 200;
    if let Some(count) = counts.get_mut(value) {
        *count += weight;
    } else if counts.len() < MAX_VALUES {
        counts.insert(value.chars().take(MAX_VALUE).collect(), weight);
    }
}

fn count_properties(keys: &mut HashMap<String, HashMap<String, u64>>, item: &Item, weight: u64) {
    const MAX_KEYS: usize = 200;
    for (key, value) in item.envelope().data.properties().iter() {
        if let Some(values) = keys.get_mut(key) {
            count(values, value, weight);
        } else if keys.len() < MAX_KEYS {
            count(keys.entry(key.to_owned()).or_default(), value, weight);
        }
    }
}

fn facet(field: String, counts: HashMap<String, u64>, top: usize) -> Facet {
    let mut values: Vec<_> = counts
        .into_iter()
        .map(|(value, count)| FacetValue { value, count })
        .collect();
    values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    let others = values.iter().skip(top).map(|value| value.count).sum();
    values.truncate(top);
    Facet {
        field,
        values,
        others,
    }
}

#[derive(Debug, Serialize)]
struct FieldInfo {
    field: String,
    kind: &'static str,
    r#type: &'static str,
    top: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Fields {
    fields: Vec<FieldInfo>,
}

/// The number of items that are sampled for the list of fields.
const SAMPLE: usize = 2_000;

pub(super) async fn fields(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app", "kind"]])?;
    answer(&context, move |_, reader| {
        let ask = Ask::new(reader, &parameters)?;
        let filter = ask.filter(&parameters)?;
        let mut properties: HashMap<String, HashMap<String, u64>> = HashMap::new();
        let mut measurements: BTreeMap<String, ()> = BTreeMap::new();
        let mut columns: HashMap<&'static str, HashMap<String, u64>> = HashMap::new();
        let mut seen = 0;
        reader.matching(&filter, Order::LastArrived, &mut |item, _| {
            for column in Column::COUNTED {
                if let Some(value) = column.of(&item) {
                    count(columns.entry(column.name()).or_default(), &value.text(), 1);
                }
            }
            count_properties(&mut properties, &item, 1);
            for (name, _) in item.measurements().into_iter().flat_map(|map| map.iter()) {
                measurements.insert(name.to_owned(), ());
            }
            seen += 1;
            if seen < SAMPLE {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        let top = |values: HashMap<String, u64>| {
            facet(String::new(), values, 10)
                .values
                .into_iter()
                .map(|value| value.value)
                .collect()
        };
        let mut fields: Vec<_> = Column::COUNTED
            .into_iter()
            .map(|column| FieldInfo {
                field: column.name().to_owned(),
                kind: "standard",
                r#type: if column == Column::Success {
                    "boolean"
                } else {
                    "text"
                },
                top: columns.remove(column.name()).map(top).unwrap_or_default(),
            })
            .collect();
        fields.push(FieldInfo {
            field: Column::Duration.name().to_owned(),
            kind: "standard",
            r#type: "number",
            top: Vec::new(),
        });
        let mut properties: Vec<_> = properties.into_iter().collect();
        properties.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (field, values) in properties {
            let is_number = values.keys().all(|value| value.parse::<f64>().is_ok());
            fields.push(FieldInfo {
                field,
                kind: "property",
                r#type: if is_number { "number" } else { "text" },
                top: top(values),
            });
        }
        fields.extend(measurements.into_keys().map(|field| FieldInfo {
            field,
            kind: "measurement",
            r#type: "number",
            top: Vec::new(),
        }));
        Ok(Fields { fields })
    })
    .await
}
