//! `/api/runs` and `/api/compare`.

use std::collections::{BTreeSet, HashMap};

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::Ask;
use crate::api::gather::{DEPENDENCY, REQUEST, Tallies, by_key, total};
use crate::api::numbers::{Stats, Tally};
use crate::api::parameters::Parameters;
use crate::api::problems::{ProblemView, problems_of};
use crate::api::time::Time;
use crate::server::ApiError;
use crate::store::{Range, Reader};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunSummary {
    number: i64,
    start: Time,
    end: Time,
    is_current: bool,
    reason: String,
    role: String,
    version: Option<String>,
    stats: Stats,
    new_problems: usize,
}

#[derive(Debug, Serialize)]
struct Runs {
    runs: Vec<RunSummary>,
}

/// The newest runs with their numbers.
pub(super) fn summaries(
    reader: &Reader,
    ask: &Ask,
    limit: usize,
) -> Result<Vec<RunSummary>, ApiError> {
    let problems = reader.problems(ask.app.as_deref())?;
    let mut summaries = Vec::new();
    for (index, run) in ask.runs.iter().take(limit).enumerate() {
        let Some(range) = ask.range_of_run(run.number) else {
            continue;
        };
        let tally = total(reader, ask, (REQUEST, range), |_| true)?;
        let new_problems = problems
            .iter()
            .filter(|problem| problem.run == run.number && problem.app == run.app && run.number > 1)
            .count();
        summaries.push(RunSummary {
            number: run.number,
            start: Time(range.from),
            end: Time(range.to),
            is_current: index == 0,
            reason: run.reason.clone(),
            role: run.role.clone(),
            version: (!run.version.is_empty()).then(|| run.version.clone()),
            stats: tally.stats(ask.seconds(range)),
            new_problems,
        });
    }
    Ok(summaries)
}

pub(super) async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    answer(&context, move |_, reader| {
        let ask = Ask::new(reader, &parameters)?;
        Ok(Runs {
            runs: summaries(reader, &ask, 100)?,
        })
    })
    .await
}

/// Starts a run manually.
pub(super) async fn begin(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    let app = match parameters.owned("app") {
        Some(app) => app,
        None => {
            let only = context
                .store
                .read(|reader| Ok::<_, ApiError>(reader.runs(None)?.into_iter().next()))
                .await?;
            only.map(|run| run.app).ok_or_else(|| {
                ApiError::bad_request("app is missing, and nothing has arrived yet")
            })?
        }
    };
    let number = context.store.begin_run(app.clone()).await?;
    let summary = context
        .store
        .read(move |reader| {
            let parameters = Parameters::default();
            let mut ask = Ask::new(reader, &parameters)?;
            ask.runs = reader.runs(Some(&app))?;
            ask.app = Some(app);
            summaries(reader, &ask, 100)
        })
        .await?
        .into_iter()
        .find(|run| run.number == number)
        .ok_or_else(|| ApiError::internal("the run that was begun is not there".to_owned()))?;
    Ok(Json(summary).into_response())
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CompareRow {
    kind: &'static str,
    name: String,
    role: String,
    target: Option<String>,
    a: Option<Stats>,
    b: Option<Stats>,
    calls_per_request_a: Option<f64>,
    calls_per_request_b: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Compare {
    a: RunSummary,
    b: RunSummary,
    rows: Vec<CompareRow>,
    new_problems: Vec<ProblemView>,
    gone_problems: Vec<ProblemView>,
}

/// Tallies of one run: operations, and dependencies by role and target.
struct Side {
    range: Range,
    operations: Tallies<(String, String)>,
    dependencies: Tallies<(String, String)>,
    requests: HashMap<String, i64>,
}

impl Side {
    fn new(reader: &Reader, ask: &Ask, range: Range) -> Result<Self, ApiError> {
        let operations = by_key(reader, ask, (REQUEST, range), |series| {
            Some((series.dims.role.clone(), series.dims.name.clone()))
        })?;
        let dependencies = by_key(reader, ask, (DEPENDENCY, range), |series| {
            Some((series.dims.role.clone(), series.dims.target.clone()))
        })?;
        let mut requests: HashMap<String, i64> = HashMap::new();
        for ((role, _), tally) in &operations {
            *requests.entry(role.clone()).or_default() += tally.count;
        }
        Ok(Self {
            range,
            operations,
            dependencies,
            requests,
        })
    }

    fn stats(&self, ask: &Ask, tally: Option<&Tally>) -> Option<Stats> {
        tally.map(|tally| tally.stats(ask.seconds(self.range)))
    }

    fn per_request(&self, role: &str, tally: Option<&Tally>) -> Option<f64> {
        let requests = self
            .requests
            .get(role)
            .copied()
            .filter(|count| *count > 0)?;
        Some(tally?.count as f64 / requests as f64)
    }
}

pub(super) async fn compare(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app", "run", "vs"]])?;
    answer(&context, move |_, reader| {
        let asked_run: Option<i64> = parameters.parsed("run")?;
        let asked_vs: Option<i64> = parameters.parsed("vs")?;
        let app_only = Parameters::parse(None, &[])?;
        let mut ask = Ask::new(reader, &app_only)?;
        ask.app = parameters.owned("app");
        ask.runs = reader.runs(ask.app.as_deref())?;
        let a = asked_run
            .or_else(|| ask.runs.first().map(|run| run.number))
            .unwrap_or(0);
        let b = asked_vs.unwrap_or(a - 1);
        let range = |number: i64| {
            ask.range_of_run(number)
                .ok_or_else(|| ApiError::not_found(format!("there is no run {number} to compare")))
        };
        let (range_a, range_b) = (range(a)?, range(b)?);
        let (side_a, side_b) = (
            Side::new(reader, &ask, range_a)?,
            Side::new(reader, &ask, range_b)?,
        );
        let mut rows = Vec::new();
        let keys: BTreeSet<_> = side_a
            .operations
            .keys()
            .chain(side_b.operations.keys())
            .collect();
        for key in keys {
            rows.push(CompareRow {
                kind: "operation",
                name: key.1.clone(),
                role: key.0.clone(),
                target: None,
                a: side_a.stats(&ask, side_a.operations.get(key)),
                b: side_b.stats(&ask, side_b.operations.get(key)),
                calls_per_request_a: None,
                calls_per_request_b: None,
            });
        }
        let keys: BTreeSet<_> = side_a
            .dependencies
            .keys()
            .chain(side_b.dependencies.keys())
            .collect();
        for key in keys {
            let (of_a, of_b) = (side_a.dependencies.get(key), side_b.dependencies.get(key));
            rows.push(CompareRow {
                kind: "dependency",
                name: key.1.clone(),
                role: key.0.clone(),
                target: Some(key.1.clone()),
                a: side_a.stats(&ask, of_a),
                b: side_b.stats(&ask, of_b),
                calls_per_request_a: side_a.per_request(&key.0, of_a),
                calls_per_request_b: side_b.per_request(&key.0, of_b),
            });
        }
        let mut all = summaries(reader, &ask, 200)?;
        let mut take = |number: i64| {
            let index = all.iter().position(|run| run.number == number);
            index
                .map(|index| all.remove(index))
                .ok_or_else(|| ApiError::not_found(format!("there is no run {number}")))
        };
        let (summary_a, summary_b) = (
            take(a)?,
            take(if a == b {
                return Err(ApiError::bad_request("run and vs are the same"));
            } else {
                b
            })?,
        );
        ask.range = range_a;
        let in_a = problems_of(reader, &ask)?;
        ask.range = range_b;
        let in_b = problems_of(reader, &ask)?;
        let is_in = |problems: &[ProblemView], id: &ProblemView| {
            problems.iter().any(|other| other.is_same(id))
        };
        Ok(Compare {
            a: summary_a,
            b: summary_b,
            rows,
            new_problems: in_a
                .iter()
                .filter(|problem| !is_in(&in_b, problem))
                .cloned()
                .collect(),
            gone_problems: in_b
                .iter()
                .filter(|problem| !is_in(&in_a, problem))
                .cloned()
                .collect(),
        })
    })
    .await
}
