//! The rules of *Needs a look*. Each rule produces a sentence with its numbers; the worst comes first.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::api::Context;
use crate::api::ask::Ask;
use crate::api::gather::{DEPENDENCY, REQUEST, Tallies, by_key, was_by_key};
use crate::api::numbers::Tally;
use crate::api::problems::ProblemView;
use crate::api::time::Time;
use crate::server::ApiError;
use crate::store::{ItemKind, Reader, SeriesKind};

/// The maximum number of sentences.
const MAX_FINDINGS: usize = 6;
/// The minimum number of failures. A failure share is reported if it has doubled.
const LEAST_FAILED: i64 = 5;
const FAILURE_FACTOR: f64 = 2.0;
/// The failure share that is reported without a run to compare with.
const FAILURE_SHARE: f64 = 0.05;
/// The minimum number of calls. A duration is reported if it has grown by half.
const LEAST_CALLS: i64 = 20;
const SLOWER_FACTOR: f64 = 1.5;
/// Calls per request are reported if they have grown by this factor.
const CALLS_FACTOR: f64 = 2.0;
/// Memory is reported if it has grown by this factor within a run.
const MEMORY_FACTOR: f64 = 1.5;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    id: String,
    level: &'static str,
    rule: &'static str,
    title: String,
    detail: String,
    since: Option<Time>,
    page: &'static str,
    query: BTreeMap<&'static str, String>,
}

pub(super) fn findings(
    context: &Context,
    reader: &Reader,
    ask: &Ask,
    problems: &[ProblemView],
) -> Result<Vec<Finding>, ApiError> {
    let mut found = Vec::new();
    fired(context, &mut found);
    found.extend(new_problems(problems));
    let key =
        |series: &crate::store::Series| Some((series.dims.role.clone(), series.dims.name.clone()));
    let now = by_key(reader, ask, (REQUEST, ask.range), key)?;
    let before = was_by_key(reader, ask, REQUEST, key)?;
    failing(ask, &now, &before, &mut found);
    slower(ask, &now, &before, &mut found);
    more_calls(reader, ask, &now, &before, &mut found)?;
    timeouts(reader, ask, &mut found)?;
    refused(context, ask, &mut found);
    memory(reader, ask, &mut found)?;
    found.sort_by_key(|finding| finding.level != "bad");
    found.truncate(MAX_FINDINGS);
    Ok(found)
}

/// Alert rules that are fired.
fn fired(context: &Context, found: &mut Vec<Finding>) {
    let checks = (context.checks)();
    let alerts = checks["alerts"].as_array().into_iter().flatten();
    for alert in alerts.filter(|alert| alert["state"] == "fired") {
        let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        let since = text("since").parse::<jiff::Timestamp>().ok();
        found.push(Finding {
            id: format!("alert {name}"),
            level: "bad",
            rule: "alert",
            title: format!("Alert: {name}"),
            detail: format!(
                "{} {} {}: {}",
                alert["value"],
                text("operator"),
                alert["threshold"],
                text("query")
            ),
            since: since.map(|since| Time(since.as_microsecond())),
            page: "failures",
            query: BTreeMap::new(),
        });
    }
}

fn new_problems(problems: &[ProblemView]) -> Option<Finding> {
    let new: Vec<_> = problems.iter().filter(|problem| problem.is_new).collect();
    let first = new.iter().map(|problem| problem.first_seen).min()?;
    let names: Vec<_> = new.iter().take(4).map(|problem| problem.short()).collect();
    let noun = if new.len() == 1 {
        "problem"
    } else {
        "problems"
    };
    Some(Finding {
        id: "newProblems".to_owned(),
        level: "bad",
        rule: "newProblems",
        title: format!("{} new {noun} since this run started", new.len()),
        detail: names.join(", "),
        since: Some(first),
        page: "failures",
        query: BTreeMap::from([("tab", "exceptions".to_owned()), ("new", "1".to_owned())]),
    })
}

type Operations = Tallies<(String, String)>;

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn milliseconds(value: f64) -> String {
    if value >= 1_000.0 {
        format!("{:.1} s", value / 1_000.0)
    } else {
        format!("{value:.0} ms")
    }
}

fn failing(ask: &Ask, now: &Operations, before: &Operations, found: &mut Vec<Finding>) {
    let mut rows: Vec<_> = now
        .iter()
        .filter(|(key, tally)| {
            let was = before
                .get(*key)
                .filter(|was| was.count > 0)
                .map(Tally::failed_share);
            let limit = was.map_or(FAILURE_SHARE, |was| was * FAILURE_FACTOR);
            tally.failed >= LEAST_FAILED && tally.failed_share() > limit
        })
        .collect();
    rows.sort_by_key(|(key, tally)| (std::cmp::Reverse(tally.failed), (*key).clone()));
    for (key, tally) in rows.into_iter().take(3) {
        let was = before.get(key).filter(|was| was.count > 0);
        let was = was.map_or(String::new(), |was| {
            format!(", was {}", percent(was.failed_share()))
        });
        found.push(Finding {
            id: format!("failureShare {} {}", key.0, key.1),
            level: "bad",
            rule: "failureShare",
            title: format!("{} fails {}{was}", key.1, percent(tally.failed_share())),
            detail: format!("{} of {} in {}", tally.failed, tally.count, key.0),
            since: Some(Time(ask.range.to)),
            page: "failures",
            query: BTreeMap::from([("sel", key.1.clone()), ("role", key.0.clone())]),
        });
    }
}

fn slower(ask: &Ask, now: &Operations, before: &Operations, found: &mut Vec<Finding>) {
    let mut rows: Vec<_> = now
        .iter()
        .filter(|(_, tally)| tally.count >= LEAST_CALLS)
        .filter_map(|(key, tally)| {
            let was = before
                .get(key)
                .filter(|was| was.count >= LEAST_CALLS)?
                .percentile(0.95)?;
            let is = tally.percentile(0.95)?;
            (was > 0.0 && is > was * SLOWER_FACTOR).then_some((key, is, was))
        })
        .collect();
    rows.sort_by(|a, b| (b.1 / b.2).total_cmp(&(a.1 / a.2)));
    for (key, is, was) in rows.into_iter().take(2) {
        found.push(Finding {
            id: format!("slower {} {}", key.0, key.1),
            level: "warn",
            rule: "slower",
            title: format!(
                "{} p95 is {}, was {}",
                key.1,
                milliseconds(is),
                milliseconds(was)
            ),
            detail: format!("in {}", key.0),
            since: Some(Time(ask.range.to)),
            page: "performance",
            query: BTreeMap::from([("op", key.1.clone()), ("role", key.0.clone())]),
        });
    }
}

/// Calls of a dependency per request of an operation: a large increase suggests an N+1 problem.
fn more_calls(
    reader: &Reader,
    ask: &Ask,
    now: &Operations,
    before: &Operations,
    found: &mut Vec<Finding>,
) -> Result<(), ApiError> {
    if ask.vs.is_none() {
        return Ok(());
    }
    let key = |series: &crate::store::Series| {
        let dims = &series.dims;
        let operation = (dims.role.clone(), dims.operation.clone());
        (!dims.operation.is_empty() && !dims.target.is_empty())
            .then(|| (operation, dims.target.clone(), dims.type_name.clone()))
    };
    let calls = by_key(reader, ask, (DEPENDENCY, ask.range), key)?;
    let calls_before = was_by_key(reader, ask, DEPENDENCY, key)?;
    let per_request = |calls: &Tally, requests: Option<&Tally>| {
        let requests = requests?.count;
        (requests > 0).then(|| calls.count as f64 / requests as f64)
    };
    for (key, tally) in &calls {
        let (operation, target, type_name) = key;
        let is = per_request(tally, now.get(operation));
        let was = calls_before
            .get(key)
            .and_then(|was| per_request(was, before.get(operation)));
        if let (Some(is), Some(was)) = (is, was)
            && is >= 3.0
            && is > was * CALLS_FACTOR
        {
            found.push(Finding {
                id: format!("moreCalls {} {} {target}", operation.0, operation.1),
                level: "warn",
                rule: "moreCalls",
                title: format!(
                    "{} makes {is:.0} calls of {target}, was {was:.0}",
                    operation.1
                ),
                detail: format!(
                    "{type_name} in {}; perhaps one for each row (N+1)",
                    operation.0
                ),
                since: Some(Time(ask.range.to)),
                page: "transaction",
                query: BTreeMap::from([("op", operation.1.clone()), ("role", operation.0.clone())]),
            });
        }
    }
    Ok(())
}

/// Result codes of timeouts, as clients report them.
const TIMEOUTS: [&str; 6] = [
    "timeout",
    "timed out",
    "408",
    "504",
    "deadline_exceeded",
    "canceled",
];

fn timeouts(reader: &Reader, ask: &Ask, found: &mut Vec<Finding>) -> Result<(), ApiError> {
    let all = by_key(reader, ask, (DEPENDENCY, ask.range), |series| {
        Some(series.dims.target.clone())
    })?;
    let timed_out = by_key(reader, ask, (DEPENDENCY, ask.range), |series| {
        let result = series.dims.result.to_lowercase();
        let is_timeout = series.dims.success == Some(false)
            && TIMEOUTS.iter().any(|timeout| result.contains(timeout));
        (is_timeout && !series.dims.target.is_empty()).then(|| series.dims.target.clone())
    })?;
    for (target, tally) in timed_out
        .into_iter()
        .filter(|(_, tally)| tally.count >= LEAST_FAILED)
    {
        let calls = all.get(&target).map_or(tally.count, |all| all.count);
        let longest = tally.percentile(0.5).map(milliseconds).unwrap_or_default();
        found.push(Finding {
            id: format!("timeouts {target}"),
            level: "warn",
            rule: "timeouts",
            title: format!("{target} times out"),
            detail: format!(
                "{} of calls end after {longest}",
                percent(tally.count as f64 / calls.max(1) as f64)
            ),
            since: Some(Time(ask.range.to)),
            page: "map",
            query: BTreeMap::from([("target", target)]),
        });
    }
    Ok(())
}

fn refused(context: &Context, ask: &Ask, found: &mut Vec<Finding>) {
    let refusal = context
        .store
        .counters()
        .last_refusal()
        .filter(|refusal| ask.range.contains(refusal.time));
    if let Some(refusal) = refusal {
        let count = context
            .store
            .counters()
            .refused
            .load(std::sync::atomic::Ordering::Relaxed);
        found.push(Finding {
            id: "refused".to_owned(),
            level: "warn",
            rule: "refused",
            title: format!("{count} items were refused"),
            detail: refusal.message,
            since: Some(Time(refusal.time)),
            page: "doctor",
            query: BTreeMap::from([("kind", "rejected".to_owned())]),
        });
    }
}

/// Memory that grows throughout a run.
fn memory(reader: &Reader, ask: &Ask, found: &mut Vec<Finding>) -> Result<(), ApiError> {
    const LEAST_POINTS: usize = 10;
    let steps = ask.steps();
    let mut values: HashMap<(String, String), Vec<f64>> = HashMap::new();
    for kind in [ItemKind::CustomMetric, ItemKind::PerformanceCounter] {
        let accept = |series: &crate::store::Series| {
            let name = &series.dims.name;
            ask.accepts(series)
                && (name.ends_with("Private Bytes") || name.ends_with("process.memory.usage"))
        };
        reader.rollups(
            SeriesKind::Item(kind),
            (steps.grain, ask.range),
            &accept,
            &mut |_, series, cell| {
                let key = (series.dims.role.clone(), series.dims.instance.clone());
                values
                    .entry(key)
                    .or_default()
                    .push(cell.sum / cell.count.max(1) as f64);
            },
        )?;
    }
    for ((role, instance), values) in values {
        let (Some(first), Some(last)) = (values.first(), values.last()) else {
            continue;
        };
        let rising = values
            .windows(2)
            .filter(|pair| pair.first() <= pair.last())
            .count();
        let is_rising = values.len() >= LEAST_POINTS && rising * 10 >= (values.len() - 1) * 8;
        if is_rising && *first > 0.0 && last / first > MEMORY_FACTOR {
            let mebibytes = |bytes: &f64| format!("{:.0} MB", bytes / 1_048_576.0);
            found.push(Finding {
                id: format!("memory {role} {instance}"),
                level: "warn",
                rule: "memory",
                title: format!(
                    "Memory of {role} grows: {}, was {}",
                    mebibytes(last),
                    mebibytes(first)
                ),
                detail: instance,
                since: None,
                page: "metrics",
                query: BTreeMap::from([("role", role)]),
            });
        }
    }
    Ok(())
}
