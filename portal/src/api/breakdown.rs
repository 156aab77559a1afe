//! `/api/breakdown`: where calls spend their time, by the critical paths of their transactions.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use azmon_envelope::tags;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::category::Category;
use crate::api::gather::{DEPENDENCY, REQUEST, total};
use crate::api::items::time_of;
use crate::api::parameters::{Parameters, RANGED};
use crate::api::performance::{SELECTED, Selected};
use crate::api::transactions::items_of;
use crate::server::ApiError;
use crate::store::said::own_id;
use crate::store::{Item, ItemFilter, ItemKind, Order, Reader, span_id};

/// The maximum number of transactions whose critical paths are summed.
const MAX_TRANSACTIONS: usize = 100;
const MAX_ITEMS: usize = 1_000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TimePart {
    name: String,
    detail: String,
    kind: &'static str,
    category: Category,
    via: Option<String>,
    share: f64,
    avg_ms: f64,
    per_request: f64,
    per_request_was: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Breakdown {
    scope: Scope,
    transactions: usize,
    avg_ms: f64,
    parts: Vec<TimePart>,
}

/// A span of a transaction, in microseconds.
#[derive(Debug, Clone)]
struct Span {
    start: i64,
    end: i64,
    children: Vec<usize>,
    place: Place,
}

/// A place where time is spent: a dependency, or a role's own work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    name: String,
    detail: String,
    type_name: String,
    via: Option<String>,
    is_dependency: bool,
}

#[derive(Debug, Default, Clone)]
struct Time {
    sum: i64,
    calls: usize,
}

pub(super) async fn breakdown(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(
        query.as_deref(),
        &[&RANGED, &SELECTED, &["q", "f", "duration", "success"]],
    )?;
    answer(&context, move |_, reader| breakdown_of(reader, &parameters)).await
}

fn breakdown_of(reader: &Reader, parameters: &Parameters) -> Result<Breakdown, ApiError> {
    let ask = Ask::new(reader, parameters)?;
    let selected = Selected::new(parameters)?;
    let mut filter: ItemFilter = ask.filter(parameters)?;
    filter.kinds = selected.item_kind().into_iter().collect();
    let (roots, _, scanned) = reader.list(&filter, Order::Newest, MAX_TRANSACTIONS)?;
    let mut times: BTreeMap<Place, Time> = BTreeMap::new();
    let (mut total_time, mut transactions) = (0, 0);
    for root in &roots {
        let Some(operation) = root.operation_id() else {
            continue;
        };
        let (items, _) = items_of(reader, filter.app.as_deref(), operation, MAX_ITEMS)?;
        let Some((spans, root_index)) = tree(&items, root.id()) else {
            continue;
        };
        total_time += spans
            .get(root_index)
            .map_or(0, |span| span.end - span.start);
        transactions += 1;
        let mut own = HashMap::new();
        walk(&spans, root_index, i64::MAX, &mut own, 0);
        for (index, time) in own {
            if let Some(span) = spans.get(index) {
                times.entry(span.place.clone()).or_default().sum += time;
            }
        }
        count_calls(&spans, root_index, &mut times);
    }
    let divisor = transactions.max(1) as f64;
    let mut parts = Vec::with_capacity(times.len());
    for (place, time) in times {
        let was = per_request_was(reader, &ask, &filter, &place)?;
        parts.push(TimePart {
            kind: if place.is_dependency {
                "dependency"
            } else {
                "uncovered"
            },
            category: if place.is_dependency {
                Category::of(&place.type_name, false)
            } else {
                Category::Inproc
            },
            share: if total_time > 0 {
                time.sum as f64 / total_time as f64
            } else {
                0.0
            },
            avg_ms: time.sum as f64 / divisor / 1_000.0,
            per_request: time.calls as f64 / divisor,
            per_request_was: was,
            name: place.name,
            detail: place.detail,
            via: place.via,
        });
    }
    parts.sort_by(|a, b| b.share.total_cmp(&a.share));
    parts.truncate(20);
    Ok(Breakdown {
        scope: ask.scope(scanned.read, !scanned.is_cut),
        transactions,
        avg_ms: total_time as f64 / divisor / 1_000.0,
        parts,
    })
}

/// Calls of a dependency per request of the operation, in the comparison range.
fn per_request_was(
    reader: &Reader,
    ask: &Ask,
    filter: &ItemFilter,
    place: &Place,
) -> Result<Option<f64>, ApiError> {
    let (Some(vs), true, Some(operation)) = (ask.vs, place.is_dependency, filter.name.as_deref())
    else {
        return Ok(None);
    };
    let requests = total(reader, ask, (REQUEST, vs), |series| {
        series.dims.name == operation
    })?
    .count;
    let calls = total(reader, ask, (DEPENDENCY, vs), |series| {
        series.dims.operation == operation
            && series.dims.target == place.name
            && series.dims.type_name == place.type_name
    })?
    .count;
    Ok((requests > 0).then(|| calls as f64 / requests as f64))
}

/// The spans of a transaction as a tree, and the index of the requested one.
fn tree(items: &[Item], root: u64) -> Option<(Vec<Span>, usize)> {
    let mut spans = Vec::new();
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut kept: Vec<&Item> = Vec::new();
    let root_role = items
        .iter()
        .find(|item| item.id() == root)
        .map(|item| item.role().into_owned());
    for item in items.iter().filter(|item| item.kind().is_span()) {
        if let Some(id) = own_id(&item.envelope().data) {
            ids.insert(span_id(id), spans.len());
        }
        let start = time_of(item);
        let duration =
            i64::try_from(item.duration().unwrap_or_default().as_micros()).unwrap_or(i64::MAX / 4);
        kept.push(item);
        spans.push(Span {
            start,
            end: start.saturating_add(duration),
            children: Vec::new(),
            place: place(item, root_role.as_deref()),
        });
    }
    let mut root_index = None;
    for (index, item) in kept.iter().enumerate() {
        if item.id() == root {
            root_index = Some(index);
        }
        let parent = item
            .tag(tags::OPERATION_PARENT_ID)
            .and_then(|id| ids.get(span_id(id)));
        if let Some(parent) = parent
            && *parent != index
            && let Some(parent) = spans.get_mut(*parent)
        {
            parent.children.push(index);
        }
    }
    Some((spans, root_index?))
}

fn place(item: &Item, root_role: Option<&str>) -> Place {
    let role = item.role().into_owned();
    let via = (root_role != Some(role.as_str()) && !role.is_empty()).then(|| role.clone());
    if item.kind() == ItemKind::Dependency {
        let target = item.target().filter(|target| !target.is_empty());
        Place {
            name: target.map_or_else(|| item.name().into_owned(), str::to_owned),
            detail: item.name().chars().take(120).collect(),
            type_name: item.type_name().unwrap_or_default().to_owned(),
            via,
            is_dependency: true,
        }
    } else {
        Place {
            name: role,
            detail: "own work, or without telemetry".to_owned(),
            type_name: String::new(),
            via,
            is_dependency: false,
        }
    }
}

/// Walks back from the end of a span. The child that ends last before the cursor is on the critical path; gaps
/// are the span's own time.
fn walk(spans: &[Span], index: usize, until: i64, own: &mut HashMap<usize, i64>, depth: usize) {
    const MAX_DEPTH: usize = 200;
    let Some(span) = spans.get(index) else { return };
    let end = span.end.min(until);
    let mut cursor = end;
    let mut children: Vec<usize> = span.children.clone();
    children.sort_by_key(|child| std::cmp::Reverse(spans.get(*child).map_or(0, |child| child.end)));
    if depth < MAX_DEPTH {
        for child_index in children {
            let Some(child) = spans.get(child_index) else {
                continue;
            };
            let (child_start, child_end) = (child.start.max(span.start), child.end);
            // Skips a child that ends after its parent or after the current critical child.
            if child_end > cursor || child_start >= cursor || child_end <= span.start {
                continue;
            }
            *own.entry(index).or_default() += cursor - child_end;
            walk(spans, child_index, child_end, own, depth + 1);
            cursor = child_start;
        }
    }
    *own.entry(index).or_default() += (cursor - span.start).max(0);
}

fn count_calls(spans: &[Span], root: usize, times: &mut BTreeMap<Place, Time>) {
    let mut open = vec![root];
    let mut seen = vec![false; spans.len()];
    while let Some(index) = open.pop() {
        let Some(span) = spans.get(index) else {
            continue;
        };
        // Stops at a cycle of parent ids.
        if std::mem::replace(seen.get_mut(index).unwrap_or(&mut true), true) {
            continue;
        }
        times.entry(span.place.clone()).or_default().calls += 1;
        open.extend(&span.children);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64, children: &[usize]) -> Span {
        Span {
            start,
            end,
            children: children.to_vec(),
            place: Place {
                name: String::new(),
                detail: String::new(),
                type_name: String::new(),
                via: None,
                is_dependency: true,
            },
        }
    }

    #[test]
    fn the_critical_path_adds_up_to_the_whole() {
        // Two parallel calls, of which the longer is critical, with gaps before and after.
        let spans = [
            span(0, 100, &[1, 2, 3]),
            span(10, 40, &[]),
            span(15, 60, &[4]),
            span(90, 120, &[]),
            span(20, 50, &[]),
        ];
        let mut own = HashMap::new();
        walk(&spans, 0, i64::MAX, &mut own, 0);
        assert_eq!(own.values().sum::<i64>(), 100);
        assert_eq!(own.get(&4), Some(&30));
        assert_eq!(own.get(&2), Some(&15));
        assert_eq!(own.get(&3), None, "it ends after its parent");
        assert_eq!(own.get(&0), Some(&(40 + 15)));
        assert_eq!(own.get(&1), None);
    }

    #[test]
    fn spans_that_are_parents_of_each_other_end() {
        let spans = [span(0, 10, &[1]), span(0, 10, &[0])];
        let mut own = HashMap::new();
        walk(&spans, 0, i64::MAX, &mut own, 0);
        let mut times = BTreeMap::new();
        count_calls(&spans, 0, &mut times);
        assert_eq!(times.values().map(|time| time.calls).sum::<usize>(), 2);
    }
}
