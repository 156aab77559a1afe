//! `/api/problems` and `/api/problems/{id}`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::difference::{Comparison, Difference};
use crate::api::gather::{EXCEPTION, buckets_by_key, was_by_key};
use crate::api::numbers::{Buckets, Series};
use crate::api::parameters::{Parameters, RANGED};
use crate::api::time::Time;
use crate::api::transactions::items_of;
use crate::api::users::users;
use crate::api::view::{Cause, ItemView, causes};
use crate::server::ApiError;
use crate::store::facts::Problem;
use crate::store::{ItemFilter, ItemKind, Order, Reader};

/// The maximum number of compared items.
const MAX_COMPARED: usize = 2_000;
/// The maximum number of transactions whose entries are read.
const MAX_OPERATIONS: usize = 200;
const SAMPLES: usize = 20;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProblemView {
    id: i64,
    problem_id: String,
    r#type: String,
    message: String,
    method: Option<String>,
    role: String,
    pub(super) count: i64,
    was: Option<i64>,
    users: usize,
    pub(super) first_seen: Time,
    last_seen: Time,
    pub(super) is_new: bool,
    first_run: i64,
    known: Option<i64>,
    spark: Series,
    is_browser: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Problems {
    scope: Scope,
    total: i64,
    is_new: usize,
    series: Vec<Series>,
    problems: Vec<ProblemView>,
}

type Key = (String, String, String);

fn key_of(problem: &Problem) -> Key {
    (
        problem.app.clone(),
        problem.role.clone(),
        problem.problem.clone(),
    )
}

fn key(series: &crate::store::Series) -> Key {
    let dims = &series.dims;
    (dims.app.clone(), dims.role.clone(), dims.name.clone())
}

/// The runs in which problems were marked as known, by problem number.
fn known(reader: &Reader) -> Result<HashMap<i64, i64>, ApiError> {
    let saved = reader.saved("known", None)?;
    let pairs = saved.iter().filter_map(|saved| {
        let value: serde_json::Value = serde_json::from_str(&saved.value).ok()?;
        let run = value
            .as_i64()
            .or_else(|| value.get("run")?.as_i64())
            .unwrap_or(0);
        Some((saved.name.parse().ok()?, run))
    });
    Ok(pairs.collect())
}

/// The number of the current run of each application.
fn current_runs(ask: &Ask) -> HashMap<String, i64> {
    let mut current = HashMap::new();
    for run in ask.runs.iter().rev() {
        current.insert(run.app.clone(), run.number);
    }
    current
}

/// All problems with exceptions in the range.
pub(super) fn problems_of(reader: &Reader, ask: &Ask) -> Result<Vec<ProblemView>, ApiError> {
    let charts = buckets_by_key(reader, ask, EXCEPTION, |series| Some(key(series)))?;
    let before = was_by_key(reader, ask, EXCEPTION, |series| Some(key(series)))?;
    let filter = ItemFilter {
        app: ask.app.clone(),
        roles: ask.roles.clone(),
        kinds: vec![ItemKind::Exception],
        range: ask.range,
        is_browser: ask.is_browser,
        ..ItemFilter::default()
    };
    let affected = users(reader, &filter, key)?;
    let known = known(reader)?;
    let current = current_runs(ask);
    let views = reader
        .problems(ask.app.as_deref())?
        .into_iter()
        .filter_map(|problem| {
            let key = key_of(&problem);
            let chart = charts.get(&key)?;
            let was = ask
                .vs
                .map(|_| before.get(&key).map_or(0, |tally| tally.count));
            let users = affected.get(&key).copied().unwrap_or(0);
            Some(view(problem, (chart, was, users), &known, &current))
        });
    Ok(views.collect())
}

fn view(
    problem: Problem,
    (chart, was, users): (&Buckets, Option<i64>, usize),
    known: &HashMap<i64, i64>,
    current: &HashMap<String, i64>,
) -> ProblemView {
    let run = current.get(&problem.app).copied().unwrap_or(0);
    ProblemView {
        id: problem.id,
        // In the first run, every problem would be new.
        is_new: problem.run == run && run > 1,
        known: known.get(&problem.id).copied(),
        problem_id: problem.problem,
        r#type: problem.type_name,
        message: problem.message,
        method: (!problem.method.is_empty()).then_some(problem.method),
        role: problem.role,
        count: chart.total().count,
        was,
        users,
        first_seen: Time(problem.first),
        last_seen: Time(problem.last),
        first_run: problem.run,
        spark: chart.count("count"),
        is_browser: problem.is_browser,
    }
}

pub(super) async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(
        query.as_deref(),
        &[&RANGED, &["side", "q", "new", "type", "sort"]],
    )?;
    answer(&context, move |_, reader| {
        let mut ask = Ask::new(reader, &parameters)?;
        if parameters.get("side").is_some() {
            ask = ask.with_side(&parameters)?;
        }
        let mut problems = problems_of(reader, &ask)?;
        let total = problems.iter().map(|problem| problem.count).sum();
        let is_new = problems.iter().filter(|problem| problem.is_new).count();
        if parameters.parsed("new")?.unwrap_or(false) {
            problems.retain(|problem| problem.is_new);
        }
        if let Some(type_name) = parameters.get("type") {
            problems.retain(|problem| problem.r#type == type_name);
        }
        if let Some(text) = parameters.get("q") {
            let text = text.to_lowercase();
            problems.retain(|problem| {
                [
                    &problem.problem_id,
                    &problem.r#type,
                    &problem.message,
                    &problem.role,
                ]
                .iter()
                .any(|field| field.to_lowercase().contains(&text))
            });
        }
        match parameters.get("sort").unwrap_or("count") {
            "count" => {
                problems.sort_by_key(|problem| (std::cmp::Reverse(problem.count), problem.id))
            }
            "users" => {
                problems.sort_by_key(|problem| (std::cmp::Reverse(problem.users), problem.id))
            }
            "firstSeen" => {
                problems.sort_by_key(|problem| (std::cmp::Reverse(problem.first_seen), problem.id))
            }
            "lastSeen" => {
                problems.sort_by_key(|problem| (std::cmp::Reverse(problem.last_seen), problem.id))
            }
            other => {
                return Err(ApiError::bad_request(format!(
                    "sort {other:?} is none of count, users, firstSeen, lastSeen"
                )));
            }
        }
        let charts = buckets_by_key(reader, &ask, EXCEPTION, |series| {
            Some(series.dims.role.clone())
        })?;
        let mut series: Vec<_> = charts
            .into_iter()
            .map(|(role, chart)| chart.count(&role))
            .collect();
        series.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Problems {
            scope: ask.scope(0, true),
            total,
            is_new,
            series,
            problems,
        })
    })
    .await
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndsIn {
    role: String,
    name: String,
    result_code: Option<String>,
    success: Option<bool>,
    count: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemDetail {
    scope: Scope,
    problem: ProblemView,
    causes: Vec<Cause>,
    severity: Option<u8>,
    handled_at: Option<String>,
    ends_in: Vec<EndsIn>,
    differences: Vec<Difference>,
    samples: Vec<ItemView>,
    series: Vec<Series>,
}

pub(super) async fn one(
    State(context): State<Context>,
    id: Result<Path<i64>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters =
        Parameters::parse(query.as_deref(), &[&["from", "to", "run", "vs", "buckets"]])?;
    let id = id
        .map(|Path(id)| id)
        .map_err(|_| ApiError::not_found("a problem has a number"))?;
    answer(&context, move |_, reader| {
        let problem = reader
            .problem(id)?
            .ok_or_else(|| ApiError::not_found(format!("there is no problem {id}")))?;
        let mut ask = Ask::new(reader, &parameters)?;
        ask.app = Some(problem.app.clone());
        detail(reader, &ask, problem)
    })
    .await
}

fn detail(reader: &Reader, ask: &Ask, problem: Problem) -> Result<ProblemDetail, ApiError> {
    let wanted = key_of(&problem);
    let charts = buckets_by_key(reader, ask, EXCEPTION, |series| {
        (key(series) == wanted).then_some(())
    })?;
    let chart = charts
        .get(&())
        .cloned()
        .unwrap_or_else(|| Buckets::new(ask.steps()));
    let before = was_by_key(reader, ask, EXCEPTION, |series| {
        (key(series) == wanted).then_some(())
    })?;
    let filter = ItemFilter {
        app: Some(problem.app.clone()),
        roles: vec![problem.role.clone()],
        kinds: vec![ItemKind::Exception],
        name: Some(problem.problem.clone()),
        range: ask.range,
        ..ItemFilter::default()
    };
    let affected = users(reader, &filter, |_| ())?;
    let mut comparison = Comparison::default();
    let mut samples = Vec::new();
    let mut operations = Vec::new();
    let mut seen = HashSet::new();
    let mut count = 0;
    reader.matching(&filter, Order::Newest, &mut |item, _| {
        comparison.add(&item, true);
        if samples.len() < SAMPLES {
            samples.push(ItemView::new(&item));
        }
        if let Some(id) = item.operation_id()
            && operations.len() < MAX_OPERATIONS
            && seen.insert(id.to_owned())
        {
            operations.push(id.to_owned());
        }
        count += 1;
        if count < MAX_COMPARED {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    compare_with_requests(reader, ask, &problem, &seen, &mut comparison)?;
    let newest = reader.item(problem.item)?;
    let handled_at = newest
        .as_ref()
        .and_then(|item| item.property("handledAt").map(str::to_owned));
    let users = affected.get(&()).copied().unwrap_or(0);
    let was = ask
        .vs
        .map(|_| before.get(&()).map_or(0, |tally| tally.count));
    Ok(ProblemDetail {
        scope: ask.scope(count, count < MAX_COMPARED),
        causes: newest.as_ref().map(causes).unwrap_or_default(),
        severity: newest.as_ref().and_then(crate::store::Item::severity),
        handled_at,
        ends_in: ends_in(reader, ask, &operations)?,
        differences: comparison.differences(10),
        samples,
        series: vec![chart.count("count")],
        problem: view(
            problem,
            (&chart, was, users),
            &known(reader)?,
            &current_runs(ask),
        ),
    })
}

/// The rest is the role's requests without the problem: they have the same dimensions.
fn compare_with_requests(
    reader: &Reader,
    ask: &Ask,
    problem: &Problem,
    operations: &HashSet<String>,
    comparison: &mut Comparison,
) -> Result<(), ApiError> {
    let filter = ItemFilter {
        app: Some(problem.app.clone()),
        roles: vec![problem.role.clone()],
        kinds: vec![ItemKind::Request],
        range: ask.range,
        ..ItemFilter::default()
    };
    let mut count = 0;
    reader.matching(&filter, Order::Newest, &mut |item, _| {
        let is_of_problem = item
            .operation_id()
            .is_some_and(|id| operations.contains(id));
        if !is_of_problem {
            comparison.add(&item, false);
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

/// The requests of the problem's transactions, by role, name and result.
fn ends_in(reader: &Reader, ask: &Ask, operations: &[String]) -> Result<Vec<EndsIn>, ApiError> {
    let mut counts: BTreeMap<(String, String, Option<String>, Option<bool>), u64> = BTreeMap::new();
    for operation in operations {
        let (items, _) = items_of(reader, ask.app.as_deref(), operation, 500)?;
        let mut seen = HashSet::new();
        for item in items
            .iter()
            .filter(|item| matches!(item.kind(), ItemKind::Request | ItemKind::PageView))
        {
            let key = (
                item.role().into_owned(),
                item.name().into_owned(),
                item.result_code().map(str::to_owned),
                item.success(),
            );
            if seen.insert(key.clone()) {
                *counts.entry(key).or_default() += item.count();
            }
        }
    }
    let mut found: Vec<_> = counts
        .into_iter()
        .map(|((role, name, result_code, success), count)| EndsIn {
            role,
            name,
            result_code,
            success,
            count,
        })
        .collect();
    found.sort_by_key(|row| std::cmp::Reverse(row.count));
    found.truncate(20);
    Ok(found)
}

impl ProblemView {
    pub(super) const fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
    }

    /// Type and role, for a sentence.
    pub(super) fn short(&self) -> String {
        format!("{} in {}", self.r#type, self.role)
    }
}
