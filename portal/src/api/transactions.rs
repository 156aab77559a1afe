//! `/api/transactions` and `/api/transactions/{operationId}`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use azmon_envelope::tags;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::waited;
use crate::api::ask::{Ask, Scope};
use crate::api::items::{of_problem, time_of};
use crate::api::parameters::{Parameters, RANGED, SEARCHED};
use crate::api::time::Time;
use crate::api::view::{Cause, FieldView, ItemView, causes, measurements, properties};
use crate::server::ApiError;
use crate::store::said::{micros, own_id};
use crate::store::{Item, ItemFilter, ItemKind, Order, Reader, span_id};

/// The maximum number of returned items of one transaction.
const MAX_ITEMS: usize = 10_000;
/// The number of items that are read to summarise a transaction in a list.
const MAX_SUMMARISED: usize = 300;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionRow {
    operation_id: String,
    name: String,
    pub(super) timestamp: Time,
    duration_ms: f64,
    success: Option<bool>,
    result_code: Option<String>,
    roles: Vec<String>,
    spans: usize,
    items: usize,
    exceptions: usize,
    root_id: Option<u64>,
    pub(super) is_complete: bool,
    label: Option<String>,
}

#[derive(Debug, Serialize)]
struct Transactions {
    scope: Scope,
    transactions: Vec<TransactionRow>,
    more: bool,
}

const OWN: [&str; 12] = [
    "op",
    "duration",
    "success",
    "problem",
    "target",
    "type",
    "before",
    "prefer",
    "limit",
    "wait",
    "min",
    "operation",
];

pub(super) async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED, &SEARCHED, &OWN])?;
    let wanted = parameters.parsed("min")?.unwrap_or(1);
    let wait = parameters.wait()?;
    let is_enough = move |found: &Transactions| found.transactions.len() >= wanted;
    waited(&context, wait, is_enough, move |_, reader| {
        transactions(reader, &parameters)
    })
    .await
}

fn transactions(reader: &Reader, parameters: &Parameters) -> Result<Transactions, ApiError> {
    let ask = Ask::new(reader, parameters)?;
    let limit = parameters.limit("limit", 50, 500)?;
    let prefers_complete = match parameters.get("prefer") {
        None => false,
        Some("complete") => true,
        Some(other) => {
            return Err(ApiError::bad_request(format!(
                "prefer {other:?} is not complete"
            )));
        }
    };
    let mut filter = ask.filter(parameters)?;
    of_problem(reader, parameters, &mut filter)?;
    if let Some(before) = parameters.time("before", ask.now)? {
        filter.range.to = filter.range.to.min(before);
    }
    let target = filter.target.take();
    if filter.kinds.is_empty() && target.is_some() {
        filter.kinds = vec![ItemKind::Dependency];
        filter.target = target;
    } else if filter.kinds.is_empty() && filter.name.is_some() {
        // The operation name is that of the request or of the page view.
        filter.kinds = vec![ItemKind::Request, ItemKind::PageView];
    }
    let (found, more, read, is_complete) = of_filter(
        reader,
        &filter,
        if prefers_complete { 2 * limit } else { limit },
    )?;
    let mut transactions = found;
    if prefers_complete {
        transactions.sort_by_key(|row| (!row.is_complete, std::cmp::Reverse(row.timestamp)));
        transactions.truncate(limit);
    }
    Ok(Transactions {
        scope: ask.scope(read, is_complete),
        transactions,
        more,
    })
}

type Found = (Vec<TransactionRow>, bool, usize, bool);

/// The transactions of matching items, newest first.
pub(super) fn of_filter(
    reader: &Reader,
    filter: &ItemFilter,
    limit: usize,
) -> Result<Found, ApiError> {
    let mut ids = Vec::new();
    let mut seen = HashSet::new();
    let mut more = false;
    let scanned = reader.matching(filter, Order::Newest, &mut |item, _| {
        if let Some(id) = item.operation_id()
            && !seen.contains(id)
        {
            if ids.len() == limit {
                more = true;
                return ControlFlow::Break(());
            }
            seen.insert(id.to_owned());
            ids.push(id.to_owned());
        }
        ControlFlow::Continue(())
    })?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let items = items_of(reader, filter.app.as_deref(), &id, MAX_SUMMARISED)?.0;
        rows.extend(summary(&id, &items));
    }
    Ok((rows, more || scanned.is_cut, scanned.read, !scanned.is_cut))
}

/// The items of an operation by time, and whether they are complete.
pub(super) fn items_of(
    reader: &Reader,
    app: Option<&str>,
    operation: &str,
    limit: usize,
) -> Result<(Vec<Item>, bool), ApiError> {
    let filter = ItemFilter {
        app: app.map(str::to_owned),
        operation: Some(operation.to_owned()),
        ..ItemFilter::default()
    };
    let (mut items, more, _) = reader.list(&filter, Order::Newest, limit)?;
    items.sort_by_key(|item| (time_of(item), item.id()));
    Ok((items, !more))
}

/// The items by span id.
fn spans(items: &[Item]) -> HashMap<&str, u64> {
    let spans = items.iter().filter(|item| item.kind().is_span());
    spans
        .filter_map(|item| Some((span_id(own_id(&item.envelope().data)?), item.id())))
        .filter(|(id, _)| !id.is_empty())
        .collect()
}

/// The parent of an item, and whether a stated parent is missing.
fn parent(item: &Item, spans: &HashMap<&str, u64>) -> (Option<u64>, bool) {
    let Some(parent) = item.tag(tags::OPERATION_PARENT_ID).map(span_id) else {
        return (None, false);
    };
    let found = spans.get(parent).copied().filter(|id| *id != item.id());
    // Some clients state the operation id as the parent of the root item.
    let is_root = item.operation_id() == Some(parent) || parent.bytes().all(|byte| byte == b'0');
    (found, found.is_none() && !is_root)
}

fn end_of(item: &Item) -> i64 {
    let duration = item.duration().unwrap_or_default();
    time_of(item).saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

pub(super) fn summary(id: &str, items: &[Item]) -> Option<TransactionRow> {
    let spans = spans(items);
    let first = items.first()?;
    let mut root: Option<&Item> = None;
    let mut is_complete = true;
    let mut roles: Vec<String> = Vec::new();
    for item in items {
        let (found, is_orphan) = parent(item, &spans);
        // The caller of an entry may send no telemetry.
        let is_entry =
            found.is_none() && matches!(item.kind(), ItemKind::Request | ItemKind::PageView);
        is_complete &= !is_orphan || is_entry;
        if item.kind().is_span() && found.is_none() {
            let better = root.is_none_or(|root| !is_entrance(root) && is_entrance(item));
            root = if better { Some(item) } else { root };
        }
        let role = item.role();
        if !role.is_empty() && !roles.iter().any(|known| *known == role) {
            roles.push(role.into_owned());
        }
    }
    let start = time_of(root.unwrap_or(first));
    let end = match root {
        Some(root) => end_of(root),
        None => items.iter().map(end_of).max().unwrap_or(start),
    };
    let name = items
        .iter()
        .find_map(Item::operation_name)
        .map(str::to_owned);
    let of_root = root.map(|root| root.name().into_owned());
    Some(TransactionRow {
        operation_id: id.to_owned(),
        name: of_root
            .or(name)
            .unwrap_or_else(|| first.name().into_owned()),
        timestamp: Time(start),
        duration_ms: (end - start) as f64 / 1_000.0,
        success: root.and_then(Item::success),
        result_code: root.and_then(Item::result_code).map(str::to_owned),
        roles,
        spans: items.iter().filter(|item| item.kind().is_span()).count(),
        items: items.len(),
        exceptions: items
            .iter()
            .filter(|item| item.kind() == ItemKind::Exception)
            .count(),
        root_id: root.map(Item::id),
        is_complete,
        label: root.and_then(label),
    })
}

const fn is_entrance(item: &Item) -> bool {
    matches!(item.kind(), ItemKind::Request | ItemKind::PageView)
}

/// The first custom property of the root item, which distinguishes it from others of the same name.
fn label(root: &Item) -> Option<String> {
    let (name, value) = root
        .envelope()
        .data
        .properties()
        .iter()
        .find(|(name, value)| !name.starts_with('_') && !value.is_empty() && value.len() <= 60)?;
    Some(format!("{name} {value}"))
}

#[derive(Debug, Serialize)]
struct RoleCount {
    name: String,
    items: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    item: ItemView,
    parent: Option<u64>,
    is_orphan: bool,
    properties: Vec<FieldView>,
    measurements: BTreeMap<String, f64>,
    causes: Vec<Cause>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    operation_id: String,
    timestamp: Option<Time>,
    duration_ms: f64,
    success: Option<bool>,
    result_code: Option<String>,
    name: String,
    roles: Vec<RoleCount>,
    items: Vec<Part>,
    is_complete: bool,
    newest: Option<Time>,
    oldest_kept: Option<Time>,
}

pub(super) async fn one(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app", "wait", "min"]])?;
    let Path(id) = id.map_err(|rejection| ApiError::bad_request(rejection.body_text()))?;
    let wanted = parameters.parsed("min")?.unwrap_or(1);
    let wait = parameters.wait()?;
    let is_enough = move |found: &Transaction| found.items.len() >= wanted;
    waited(&context, wait, is_enough, move |_, reader| {
        transaction(reader, &parameters, &id)
    })
    .await
}

fn transaction(
    reader: &Reader,
    parameters: &Parameters,
    id: &str,
) -> Result<Transaction, ApiError> {
    let (items, is_complete) = items_of(reader, parameters.get("app"), id, MAX_ITEMS)?;
    let spans = spans(&items);
    let summary = summary(id, &items);
    let mut roles: Vec<RoleCount> = Vec::new();
    for item in &items {
        let role = item.role();
        match roles.iter_mut().find(|known| known.name == role) {
            Some(known) => known.items += 1,
            None => roles.push(RoleCount {
                name: role.into_owned(),
                items: 1,
            }),
        }
    }
    let parts = items.iter().map(|item| {
        let (parent, is_orphan) = parent(item, &spans);
        Part {
            item: ItemView::new(item),
            parent,
            is_orphan,
            properties: properties(item),
            measurements: measurements(item),
            causes: causes(item),
        }
    });
    let start = items.first().map(time_of);
    let end = items.iter().map(end_of).max();
    Ok(Transaction {
        operation_id: id.to_owned(),
        timestamp: start.map(Time),
        duration_ms: start
            .zip(end)
            .map_or(0.0, |(start, end)| (end - start) as f64 / 1_000.0),
        success: summary.as_ref().and_then(|row| row.success),
        result_code: summary.as_ref().and_then(|row| row.result_code.clone()),
        name: summary.map_or_else(String::new, |row| row.name),
        roles,
        items: parts.collect(),
        is_complete,
        newest: items.iter().map(|item| Time(micros(item.received()))).max(),
        oldest_kept: reader.kept()?.map(|(oldest, _)| Time(oldest)),
    })
}
