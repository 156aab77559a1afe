//! `/api/overview`: the state of the application, and its changes.

use std::collections::{BTreeSet, HashMap};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::category::Category;
use crate::api::gather::{
    DEPENDENCY, EXCEPTION, PAGE_VIEW, REQUEST, buckets, buckets_by_key, was_by_key,
};
use crate::api::needs_a_look::{Finding, findings};
use crate::api::numbers::{Buckets, Compared, Series, Stats, Tally};
use crate::api::parameters::{Parameters, RANGED};
use crate::api::problems::problems_of;
use crate::api::resources::resources;
use crate::api::runs::{RunSummary, summaries};
use crate::api::transactions::{TransactionRow, of_filter};
use crate::server::ApiError;
use crate::store::{ItemFilter, ItemKind, Reader, SeriesKind};

const FAILED_TRANSACTIONS: usize = 5;
const DEPENDENCIES: usize = 20;
const RUNS: usize = 4;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    total: Compared,
    per_second: Compared,
    share: Option<f64>,
    share_was: Option<f64>,
    series: Vec<Series>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DurationCard {
    p50_ms: Compared,
    p95_ms: Compared,
    series: Vec<Series>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OverviewRole {
    name: String,
    version: Option<String>,
    instances: usize,
    sessions: usize,
    is_browser: bool,
    level: &'static str,
    stats: Stats,
    was: Option<Stats>,
    spark: Series,
    cpu_percent: Option<f64>,
    memory_bytes: Option<f64>,
}

#[derive(Debug, Serialize)]
struct OverviewDependency {
    target: String,
    r#type: String,
    category: Category,
    stats: Stats,
    was: Option<Stats>,
    spark: Series,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Overview {
    scope: Scope,
    requests: Card,
    failed: Card,
    duration: DurationCard,
    exceptions: Card,
    availability: Option<Card>,
    problems: usize,
    new_problems: usize,
    findings: Vec<Finding>,
    failed_transactions: Vec<TransactionRow>,
    roles: Vec<OverviewRole>,
    dependencies: Vec<OverviewDependency>,
    runs: Vec<RunSummary>,
    clients: Vec<String>,
    refused: u64,
    visible_after_ms: Option<f64>,
}

pub(super) async fn overview(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED])?;
    answer(&context, move |context, reader| {
        overview_of(context, reader, &parameters)
    })
    .await
}

fn overview_of(
    context: &Context,
    reader: &Reader,
    parameters: &Parameters,
) -> Result<Overview, ApiError> {
    let mut ask = Ask::new(reader, parameters)?;
    if ask.vs.is_none() {
        // Compares with the previous run by default.
        ask.vs = ask
            .run_at(ask.range.to - 1)
            .map(|run| run.number - 1)
            .and_then(|number| ask.range_of_run(number));
    }
    let requests = buckets(reader, &ask, REQUEST, |_| true)?;
    let was = was_total(reader, &ask, REQUEST)?;
    let exceptions = buckets(reader, &ask, EXCEPTION, |_| true)?;
    let exceptions_was = was_total(reader, &ask, EXCEPTION)?;
    let availability = availability(reader, &ask)?;
    let problems = problems_of(reader, &ask)?;
    let mut by_role: Vec<_> = buckets_by_key(reader, &ask, EXCEPTION, |series| {
        Some(series.dims.role.clone())
    })?
    .into_iter()
    .map(|(role, chart)| chart.count(&role))
    .collect();
    by_role.sort_by(|a, b| a.name.cmp(&b.name));
    let all = requests.total();
    let compared = |value: Option<f64>, was: Option<f64>| Compared { value, was };
    let failing = ItemFilter {
        app: ask.app.clone(),
        roles: ask.roles.clone(),
        kinds: vec![ItemKind::Request],
        range: ask.range,
        success: Some(false),
        ..ItemFilter::default()
    };
    let (failed_transactions, _, read, _) = of_filter(reader, &failing, FAILED_TRANSACTIONS)?;
    let counters = context.store.counters();
    let clients: BTreeSet<String> = reader
        .clients(ask.app.as_deref())?
        .into_iter()
        .map(|client| client.sdk)
        .filter(|sdk| !sdk.is_empty())
        .collect();
    let mut share_card = card(&ask, &requests, &was, |tally| tally.failed);
    share_card.share = Some(all.failed_share());
    share_card.share_was = was.as_ref().map(Tally::failed_share);
    share_card.series = vec![requests.failed("failed")];
    let mut exceptions_card = card(&ask, &exceptions, &exceptions_was, |tally| tally.count);
    exceptions_card.series = by_role;
    let mut requests_card = card(&ask, &requests, &was, |tally| tally.count);
    requests_card.series = vec![requests.rate("requests")];
    let percentile = |share: f64| {
        compared(
            all.percentile(share),
            was.as_ref().and_then(|was| was.percentile(share)),
        )
    };
    Ok(Overview {
        requests: requests_card,
        failed: share_card,
        duration: DurationCard {
            p50_ms: percentile(0.5),
            p95_ms: percentile(0.95),
            series: vec![
                requests.series("p95", |tally| tally.percentile(0.95)),
                requests.series("p50", |tally| tally.percentile(0.5)),
            ],
        },
        exceptions: exceptions_card,
        availability,
        new_problems: problems.iter().filter(|problem| problem.is_new).count(),
        findings: findings(context, reader, &ask, &problems)?,
        problems: problems.len(),
        failed_transactions,
        roles: roles(reader, &ask)?,
        dependencies: dependencies(reader, &ask)?,
        runs: summaries(reader, &ask, RUNS)?,
        clients: clients.into_iter().take(20).collect(),
        refused: counters.refused.load(std::sync::atomic::Ordering::Relaxed),
        visible_after_ms: counters.visible_after().map(|micros| micros / 1_000.0),
        scope: ask.scope(read, true),
    })
}

fn was_total(reader: &Reader, ask: &Ask, kind: SeriesKind) -> Result<Option<Tally>, ApiError> {
    let mut found = was_by_key(reader, ask, kind, |_| Some(()))?;
    Ok(ask.vs.map(|_| found.remove(&()).unwrap_or_default()))
}

fn card(ask: &Ask, chart: &Buckets, was: &Option<Tally>, count: impl Fn(&Tally) -> i64) -> Card {
    let all = count(&chart.total());
    let seconds = ask.seconds(ask.range);
    let scaled = was.as_ref().map(|was| ask.scaled(count(was)));
    Card {
        total: Compared {
            value: Some(all as f64),
            was: scaled,
        },
        per_second: Compared {
            value: Some(all as f64 / seconds),
            was: scaled.map(|was| was / seconds),
        },
        share: None,
        share_was: None,
        series: Vec::new(),
    }
}

fn availability(reader: &Reader, ask: &Ask) -> Result<Option<Card>, ApiError> {
    let kind = SeriesKind::Item(ItemKind::AvailabilityResult);
    let chart = buckets(reader, ask, kind, |_| true)?;
    let all = chart.total();
    if all.count == 0 {
        return Ok(None);
    }
    let was = was_total(reader, ask, kind)?;
    let mut card = card(ask, &chart, &was, |tally| tally.count);
    card.share = Some(1.0 - all.failed_share());
    card.share_was = was
        .filter(|was| was.count > 0)
        .map(|was| 1.0 - was.failed_share());
    card.series = vec![chart.series("availability", |tally| {
        (tally.count > 0).then(|| 1.0 - tally.failed_share())
    })];
    Ok(Some(card))
}

fn roles(reader: &Reader, ask: &Ask) -> Result<Vec<OverviewRole>, ApiError> {
    let mut charts: HashMap<String, (Buckets, bool)> = HashMap::new();
    for (kind, is_browser) in [(REQUEST, false), (PAGE_VIEW, true)] {
        for (role, chart) in
            buckets_by_key(reader, ask, kind, |series| Some(series.dims.role.clone()))?
        {
            charts.entry(role).or_insert((chart, is_browser));
        }
    }
    let before = was_by_key(reader, ask, REQUEST, |series| {
        Some(series.dims.role.clone())
    })?;
    let used = resources(reader, ask)?;
    // The order of first appearance keeps each role in its place.
    let mut names: Vec<String> = Vec::new();
    let mut versions: HashMap<String, (usize, Option<String>)> = HashMap::new();
    for instance in reader.instances(ask.app.as_deref())? {
        if !names.contains(&instance.role) {
            names.push(instance.role.clone());
        }
        if instance.last >= ask.range.from {
            let (count, version) = versions.entry(instance.role).or_default();
            *count += usize::from(!instance.is_browser);
            if !instance.version.is_empty() {
                *version = Some(instance.version);
            }
        }
    }
    let mut found = Vec::new();
    for name in names {
        let Some((chart, is_browser)) = charts.remove(&name) else {
            continue;
        };
        let (instances, version) = versions.remove(&name).unwrap_or_default();
        let all = chart.total();
        let of_role = || {
            used.iter()
                .filter(|((role, _), _)| *role == name)
                .map(|(_, used)| used)
        };
        let cpu: Vec<_> = of_role().filter_map(|used| used.cpu_percent).collect();
        let memory: Vec<_> = of_role().filter_map(|used| used.memory_bytes).collect();
        found.push(OverviewRole {
            level: match all.failed_share() {
                share if share >= 0.01 => "bad",
                share if share > 0.0 => "warn",
                _ => "ok",
            },
            version,
            instances,
            sessions: 0,
            is_browser,
            stats: ask.stats(&all),
            was: ask.was(before.get(&name)),
            spark: chart.rate("requests"),
            cpu_percent: (!cpu.is_empty()).then(|| cpu.iter().sum::<f64>() / cpu.len() as f64),
            memory_bytes: (!memory.is_empty()).then(|| memory.iter().sum()),
            name,
        });
    }
    for role in &mut found {
        if role.is_browser {
            role.sessions = sessions(reader, ask, &role.name)?;
        }
    }
    Ok(found)
}

fn sessions(reader: &Reader, ask: &Ask, role: &str) -> Result<usize, ApiError> {
    let filter = ItemFilter {
        app: ask.app.clone(),
        roles: vec![role.to_owned()],
        kinds: vec![ItemKind::PageView],
        range: ask.range,
        ..ItemFilter::default()
    };
    let users = crate::api::users::users(reader, &filter, |_| ())?;
    Ok(users.get(&()).copied().unwrap_or(0))
}

fn dependencies(reader: &Reader, ask: &Ask) -> Result<Vec<OverviewDependency>, ApiError> {
    let key = |series: &crate::store::Series| {
        let dims = &series.dims;
        (!dims.target.is_empty()).then(|| (dims.target.clone(), dims.type_name.clone()))
    };
    let before = was_by_key(reader, ask, DEPENDENCY, key)?;
    let mut found: Vec<_> = buckets_by_key(reader, ask, DEPENDENCY, key)?
        .into_iter()
        .map(|(key, chart)| {
            let was = ask.was(before.get(&key));
            let (target, type_name) = key;
            OverviewDependency {
                category: Category::of(&type_name, false),
                stats: ask.stats(&chart.total()),
                was,
                spark: chart.rate("calls"),
                target,
                r#type: type_name,
            }
        })
        .collect();
    found.sort_by(|a, b| {
        b.stats
            .count
            .cmp(&a.stats.count)
            .then_with(|| a.target.cmp(&b.target))
    });
    found.truncate(DEPENDENCIES);
    Ok(found)
}
