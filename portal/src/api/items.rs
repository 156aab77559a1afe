//! `/api/items`, `/api/items/{id}`, `/api/items/{id}/rank`.

use std::ops::ControlFlow;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::{answer, waited};
use crate::api::ask::{Ask, Scope};
use crate::api::numbers::{Distribution, Tally};
use crate::api::parameters::{Parameters, RANGED, SEARCHED};
use crate::api::view::{FullItem, ItemView};
use crate::server::ApiError;
use crate::store::said::micros;
use crate::store::{Item, ItemFilter, ItemKind, Order, Range, Reader};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 10_000;

pub(super) const OWN: [&str; 14] = [
    "operation",
    "problem",
    "op",
    "target",
    "type",
    "duration",
    "success",
    "limit",
    "before",
    "after",
    "order",
    "wait",
    "min",
    "envelopes",
];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    scope: Scope,
    pub(super) items: Vec<ItemView>,
    more: bool,
    newest_id: i64,
}

pub(super) async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED, &SEARCHED, &OWN])?;
    let wanted = parameters.parsed("min")?.unwrap_or(1);
    let wait = parameters.wait()?;
    waited(
        &context,
        wait,
        move |page: &Page| page.items.len() >= wanted,
        move |context, reader| page(context, reader, &parameters),
    )
    .await
}

fn page(context: &Context, reader: &Reader, parameters: &Parameters) -> Result<Page, ApiError> {
    let ask = Ask::new(reader, parameters)?;
    let limit = parameters.limit("limit", DEFAULT_LIMIT, MAX_LIMIT)?;
    let mut filter = ask.filter(parameters)?;
    of_problem(reader, parameters, &mut filter)?;
    let before: Option<i64> = parameters.parsed("before")?;
    let after: Option<i64> = parameters.parsed("after")?;
    let order = match (parameters.get("order"), after) {
        (None | Some("arrival"), Some(id)) => Order::ArrivedAfter(id),
        (Some("time"), Some(_)) => {
            return Err(ApiError::bad_request(
                "after goes with the order of arrival",
            ));
        }
        (None | Some("time"), None) => Order::Newest,
        (Some("arrival"), None) => Order::LastArrived,
        (Some("duration"), _) => return longest(context, reader, &ask, &filter, limit),
        (Some(other), _) => {
            return Err(ApiError::bad_request(format!(
                "order {other:?} is none of time, arrival, duration"
            )));
        }
    };
    let place = match before {
        Some(id) => reader.row(id)?.map(|row| (row.time, row.id)),
        None => None,
    };
    if let (Some((time, _)), Order::Newest) = (place, order) {
        filter.range.to = filter.range.to.min(time + 1);
    }
    let is_beyond = |time: i64, id: i64| match (before, order) {
        (None, _) => true,
        (Some(before), Order::LastArrived | Order::ArrivedAfter(_)) => id < before,
        (Some(before), Order::Newest) => match place {
            Some(place) => (time, id) < place,
            None => id < before,
        },
    };
    let with_envelopes = parameters.parsed("envelopes")?.unwrap_or(false);
    let mut items = Vec::new();
    let mut more = false;
    let scanned = reader.matching(&filter, order, &mut |item, row| {
        if !is_beyond(row.time, row.id) {
            return ControlFlow::Continue(());
        }
        if items.len() == limit {
            more = true;
            return ControlFlow::Break(());
        }
        let view = ItemView::new(&item);
        items.push(if with_envelopes {
            view.with_envelope(&item)
        } else {
            view
        });
        ControlFlow::Continue(())
    })?;
    Ok(Page {
        scope: ask.scope(scanned.read, !scanned.is_cut),
        items,
        more: more || scanned.is_cut,
        newest_id: context.newest_id(),
    })
}

/// The longest durations among the matching items.
fn longest(
    context: &Context,
    reader: &Reader,
    ask: &Ask,
    filter: &ItemFilter,
    limit: usize,
) -> Result<Page, ApiError> {
    let mut found = Vec::new();
    let scanned = reader.matching(filter, Order::Newest, &mut |item, row| {
        found.push((row.duration.unwrap_or(-1), ItemView::new(&item)));
        if found.len() > 2 * limit + 100 {
            found.sort_by_key(|(duration, _)| std::cmp::Reverse(*duration));
            found.truncate(limit + 1);
        }
        ControlFlow::Continue(())
    })?;
    found.sort_by_key(|(duration, _)| std::cmp::Reverse(*duration));
    let more = found.len() > limit || scanned.is_cut;
    Ok(Page {
        scope: ask.scope(scanned.read, !scanned.is_cut),
        items: found
            .into_iter()
            .take(limit)
            .map(|(_, view)| view)
            .collect(),
        more,
        newest_id: context.newest_id(),
    })
}

/// The parameters of a search beside those of its range and its text.
pub(super) const NARROWED: [&str; 5] = ["op", "target", "type", "duration", "problem"];

/// The filter of a search.
pub(crate) fn searched(reader: &Reader, query: Option<&str>) -> Result<ItemFilter, ApiError> {
    let parameters = Parameters::parse(query, &[&RANGED, &SEARCHED, &NARROWED])?;
    let mut filter = Ask::new(reader, &parameters)?.filter(&parameters)?;
    of_problem(reader, &parameters, &mut filter)?;
    Ok(filter)
}

/// Restricts the filter to the exceptions of a problem.
pub(super) fn of_problem(
    reader: &Reader,
    parameters: &Parameters,
    filter: &mut ItemFilter,
) -> Result<(), ApiError> {
    let Some(id) = parameters.parsed("problem")? else {
        return Ok(());
    };
    let problem = reader
        .problem(id)?
        .ok_or_else(|| ApiError::not_found(format!("there is no problem {id}")))?;
    filter.kinds = vec![ItemKind::Exception];
    filter.name = Some(problem.problem);
    filter.app = Some(problem.app);
    filter.roles = vec![problem.role];
    Ok(())
}

pub(super) async fn one(
    State(context): State<Context>,
    id: Result<Path<i64>, axum::extract::rejection::PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Parameters::parse(query.as_deref(), &[])?;
    let id = id
        .map(|Path(id)| id)
        .map_err(|_| ApiError::not_found("an item has a number"))?;
    answer(&context, move |_, reader| {
        let missing = || ApiError::not_found(format!("item {id} is not here"));
        let item = reader.item(id)?.ok_or_else(missing)?;
        let mut related: usize = 0;
        if let Some(operation) = item.operation_id() {
            let filter = ItemFilter {
                operation: Some(operation.to_owned()),
                ..ItemFilter::default()
            };
            reader.rows(&filter, Order::Newest, &mut |_| {
                related += 1;
                ControlFlow::Continue(())
            })?;
        }
        Ok(FullItem::new(&item, related.saturating_sub(1)))
    })
    .await
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rank {
    duration_ms: f64,
    percentile: f64,
    count: i64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    distribution: Distribution,
}

/// The percentile rank of one call among all calls of its operation.
pub(super) async fn rank(
    State(context): State<Context>,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[])?;
    answer(&context, move |_, reader| {
        let ask = Ask::new(reader, &parameters)?;
        let row = reader
            .row(id)?
            .ok_or_else(|| ApiError::not_found(format!("item {id} is not here")))?;
        let own = reader
            .series(row.series)
            .ok_or_else(|| ApiError::not_found("its series is not here"))?;
        let Some(duration) = row.duration else {
            return Err(ApiError::bad_request("this item has no duration"));
        };
        let mut tally = Tally::default();
        let range = (ask.grain(ask.range), ask.range);
        let is_alike = |series: &crate::store::Series| {
            let (own, other) = (&own.dims, &series.dims);
            (&own.app, &own.role, &own.name, &own.target, &own.type_name)
                == (
                    &other.app,
                    &other.role,
                    &other.name,
                    &other.target,
                    &other.type_name,
                )
        };
        reader.rollups(own.dims.kind, range, &is_alike, &mut |_, series, cell| {
            tally.add(series, cell)
        })?;
        Ok(Rank {
            duration_ms: duration as f64 / 1_000.0,
            percentile: tally.histogram.share_below(duration) * 100.0,
            count: tally.count,
            p50_ms: tally.percentile(0.5),
            p95_ms: tally.percentile(0.95),
            p99_ms: tally.percentile(0.99),
            distribution: tally.distribution(),
        })
    })
    .await
}

/// The time of an item, in microseconds.
pub(super) fn time_of(item: &Item) -> i64 {
    micros(item.envelope().time)
}

/// A range around one item.
pub(super) const fn around(time: i64, distance: i64) -> Range {
    Range {
        from: time - distance,
        to: time + distance,
    }
}
