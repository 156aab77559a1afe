//! `/api/failures`.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::category::Category;
use crate::api::gather::{
    DEPENDENCY, EXCEPTION, PAGE_VIEW, REQUEST, buckets_by_key, by_key, was_by_key,
};
use crate::api::numbers::{Buckets, Series, Tally};
use crate::api::parameters::{Parameters, RANGED};
use crate::api::time::Time;
use crate::api::users::users;
use crate::server::ApiError;
use crate::store::{ItemFilter, ItemKind, Order, Range, Reader, SeriesKind};

const TOP: usize = 3;
const MAX_ROWS: usize = 1_000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureRow {
    name: String,
    role: String,
    target: Option<String>,
    r#type: Option<String>,
    category: Option<Category>,
    count: i64,
    failed: i64,
    failed_share: f64,
    was: Option<i64>,
    users: usize,
    spark: Series,
    last_seen: Time,
}

#[derive(Debug, Serialize)]
struct TopFailure {
    name: String,
    detail: String,
    count: i64,
    was: Option<i64>,
    category: Option<Category>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failures {
    scope: Scope,
    series: Vec<Series>,
    counts: BTreeMap<&'static str, i64>,
    codes: Vec<TopFailure>,
    types: Vec<TopFailure>,
    dependencies: Vec<TopFailure>,
    rows: Vec<FailureRow>,
    last_failure: Option<Time>,
}

type Key = (String, String, Option<String>, Option<String>);

pub(super) async fn failures(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(
        query.as_deref(),
        &[&RANGED, &["side", "tab", "code", "type", "dep"]],
    )?;
    answer(&context, move |_, reader| failures_of(reader, &parameters)).await
}

fn failures_of(reader: &Reader, parameters: &Parameters) -> Result<Failures, ApiError> {
    let ask = Ask::new(reader, parameters)?.with_side(parameters)?;
    let tab = parameters.get("tab").unwrap_or("operations");
    let code = parameters.get("code");
    let type_name = parameters.get("type");
    let operations = operations_of(reader, &ask, parameters.get("dep"))?;
    let entry = if ask.is_browser == Some(true) {
        PAGE_VIEW
    } else {
        REQUEST
    };
    let kind = match tab {
        "operations" | "roles" => entry,
        "dependencies" => DEPENDENCY,
        other => {
            return Err(ApiError::bad_request(format!(
                "tab {other:?} is none of operations, dependencies, roles"
            )));
        }
    };
    let key = |series: &crate::store::Series| -> Option<Key> {
        let dims = &series.dims;
        let has_code = code.is_none_or(|code| dims.result == code);
        let has_type =
            type_name.is_none_or(|type_name| kind != DEPENDENCY || dims.type_name == type_name);
        let has_dependency = operations
            .as_ref()
            .is_none_or(|names| names.contains(&dims.name) || names.contains(&dims.operation));
        (has_code && has_type && has_dependency).then(|| match tab {
            "roles" => (dims.role.clone(), dims.role.clone(), None, None),
            "dependencies" => (
                dims.name.clone(),
                dims.role.clone(),
                Some(dims.target.clone()),
                Some(dims.type_name.clone()),
            ),
            _ => (dims.name.clone(), dims.role.clone(), None, None),
        })
    };
    let charts = buckets_by_key(reader, &ask, kind, key)?;
    let before = was_by_key(reader, &ask, kind, key)?;
    let failing = ItemFilter {
        app: ask.app.clone(),
        roles: ask.roles.clone(),
        kinds: match kind {
            SeriesKind::Item(kind) => vec![kind],
            SeriesKind::EdgeCaller | SeriesKind::EdgeCallee => Vec::new(),
        },
        range: ask.range,
        success: Some(false),
        is_browser: ask.is_browser,
        ..ItemFilter::default()
    };
    let affected = users(reader, &failing, key)?;
    let mut rows: Vec<_> = charts
        .into_iter()
        .filter_map(|(key, chart)| row(&ask, key, &chart, &before, &affected))
        .collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.failed), row.name.clone()));
    rows.truncate(MAX_ROWS);
    let by_role = |series: &crate::store::Series| {
        (series.dims.success == Some(false) && key(series).is_some())
            .then(|| series.dims.role.clone())
    };
    let mut series: Vec<_> = buckets_by_key(reader, &ask, kind, by_role)?
        .into_iter()
        .map(|(role, chart)| chart.failed(&role))
        .collect();
    series.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Failures {
        scope: ask.scope(0, true),
        series,
        counts: counts(reader, &ask, entry)?,
        codes: top(reader, &ask, entry, |series| {
            let dims = &series.dims;
            (dims.success == Some(false)).then(|| (dims.result.clone(), String::new(), None))
        })?,
        types: top(reader, &ask, EXCEPTION, |series| {
            Some((
                series.dims.type_name.clone(),
                series.dims.role.clone(),
                None,
            ))
        })?,
        dependencies: top(reader, &ask, DEPENDENCY, |series| {
            let dims = &series.dims;
            let category = Category::of(&dims.type_name, dims.is_browser);
            let name = if dims.target.is_empty() {
                &dims.name
            } else {
                &dims.target
            };
            (dims.success == Some(false))
                .then(|| (name.clone(), dims.type_name.clone(), Some(category)))
        })?,
        rows,
        last_failure: last_failure(reader, &failing)?,
    })
}

/// The names of operations with a failed dependency call.
fn operations_of(
    reader: &Reader,
    ask: &Ask,
    target: Option<&str>,
) -> Result<Option<std::collections::HashSet<String>>, ApiError> {
    let Some(target) = target else {
        return Ok(None);
    };
    let found = by_key(reader, ask, (DEPENDENCY, ask.range), |series| {
        let dims = &series.dims;
        (dims.success == Some(false) && dims.target == target).then(|| dims.operation.clone())
    })?;
    Ok(Some(found.into_keys().collect()))
}

fn row(
    ask: &Ask,
    key: Key,
    chart: &Buckets,
    before: &HashMap<Key, Tally>,
    affected: &HashMap<Option<Key>, usize>,
) -> Option<FailureRow> {
    let all = chart.total();
    if all.failed == 0 {
        return None;
    }
    let last = chart
        .tallies
        .iter()
        .rposition(|tally| tally.failed > 0)
        .unwrap_or(0);
    let end = chart.steps.start + (i64::try_from(last).unwrap_or(0) + 1) * chart.steps.step;
    let was = ask
        .vs
        .map(|_| before.get(&key).map_or(0, |tally| tally.failed));
    let users = affected.get(&Some(key.clone())).copied().unwrap_or(0);
    let (name, role, target, type_name) = key;
    Some(FailureRow {
        category: type_name
            .as_deref()
            .map(|type_name| Category::of(type_name, false)),
        name,
        role,
        target,
        r#type: type_name,
        count: all.count,
        failed: all.failed,
        failed_share: all.failed_share(),
        was,
        users,
        spark: chart.failed("failed"),
        last_seen: Time(end.min(ask.range.to)),
    })
}

fn counts(
    reader: &Reader,
    ask: &Ask,
    entry: SeriesKind,
) -> Result<BTreeMap<&'static str, i64>, ApiError> {
    let failed = |kind| -> Result<i64, ApiError> {
        let found = by_key(reader, ask, (kind, ask.range), |series| {
            let dims = &series.dims;
            (kind == EXCEPTION || dims.success == Some(false)).then_some(())
        })?;
        Ok(found.get(&()).map_or(0, |tally| tally.count))
    };
    let roles = by_key(reader, ask, (entry, ask.range), |series| {
        (series.dims.success == Some(false)).then(|| series.dims.role.clone())
    })?;
    Ok(BTreeMap::from([
        ("operations", failed(entry)?),
        ("dependencies", failed(DEPENDENCY)?),
        ("exceptions", failed(EXCEPTION)?),
        ("roles", i64::try_from(roles.len()).unwrap_or(i64::MAX)),
    ]))
}

fn top(
    reader: &Reader,
    ask: &Ask,
    kind: SeriesKind,
    key: impl Fn(&crate::store::Series) -> Option<(String, String, Option<Category>)>,
) -> Result<Vec<TopFailure>, ApiError> {
    let by_name =
        |series: &crate::store::Series| key(series).map(|(name, detail, _)| (name, detail));
    let found = by_key(reader, ask, (kind, ask.range), by_name)?;
    let before = was_by_key(reader, ask, kind, by_name)?;
    let mut rows: Vec<_> = found
        .into_iter()
        .map(|(name, tally)| TopFailure {
            was: before.get(&name).map(|tally| tally.count),
            category: (kind == DEPENDENCY).then(|| Category::of(&name.1, false)),
            name: name.0,
            detail: name.1,
            count: tally.count,
        })
        .collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.count), row.name.clone()));
    rows.truncate(TOP);
    Ok(rows)
}

/// The time of the last failure, shown if the range has none.
fn last_failure(reader: &Reader, failing: &ItemFilter) -> Result<Option<Time>, ApiError> {
    let filter = ItemFilter {
        range: Range::ALL,
        kinds: vec![ItemKind::Request, ItemKind::Dependency],
        ..failing.clone()
    };
    let mut last = None;
    reader.rows(&filter, Order::Newest, &mut |row| {
        last = Some(Time(row.time));
        std::ops::ControlFlow::Break(())
    })?;
    Ok(last)
}
