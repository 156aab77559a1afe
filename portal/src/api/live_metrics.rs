//! `/api/live`, `/api/live/servers` and `/api/live/configuration`: the page of live metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use azmon::live_metrics::{
    ConfigurationInfo, DocumentGroupInfo, FilterGroupInfo, FilterInfo, MetricInfo, StreamInfo,
};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::MissedTickBehavior;

use crate::api::Context;
use crate::api::live::serve;
use crate::api::parameters::Parameters;
use crate::api::time::Time;
use crate::live::{
    Changes, Hub, Row, Sample, Server, Source, State as Live, default_configuration,
};
use crate::server::ApiError;

/// The interval of events while no post arrives, since telemetry of roles that do not post also has its seconds.
const TICK: Duration = Duration::from_millis(500);
/// The minimum interval of a reader's events.
const PAUSE: Duration = Duration::from_millis(100);
/// The number of repeated seconds, since a client that could not post sends them later.
const AGAIN: i64 = 12;
/// The maximum number of samples in one event; further samples are only counted.
const MAX_SAMPLES: usize = 50;
/// With more servers, a reader begins with fewer seconds of each.
const MANY_SERVERS: usize = 20;
const FEW_SECONDS: i64 = 300;
/// Largest configuration that a page sets, in bytes.
const MAX_CONFIGURATION: usize = 256 * 1_024;
/// The maximum number of custom charts.
const MAX_CHARTS: usize = 24;

/// An event: everything at the start, and later the changes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    time: Time,
    servers: Vec<ServerView>,
    /// The number of servers beyond the limit.
    refused: u64,
    samples: Vec<SampleView>,
    skipped: usize,
    /// When it is another than before.
    configuration: Option<ConfigurationView>,
    /// That of a new portal, at the start.
    standard: Option<ConfigurationView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServerView {
    id: u64,
    app: String,
    name: String,
    role: String,
    machine: String,
    client: String,
    source: &'static str,
    is_stale: bool,
    last_seen: Time,
    measures_process: bool,
    applies_filters: bool,
    is_quota_reached: bool,
    warnings: Vec<&'static str>,
    errors: Vec<Value>,
    rows: Vec<Vec<Value>>,
}

#[derive(Debug, Serialize)]
struct SampleView {
    number: u64,
    server: u64,
    time: Time,
    item: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Servers {
    is_watched: bool,
    refused: u64,
    servers: Vec<ServerView>,
}

/// The custom charts and the samples' filters of all pages.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigurationView {
    charts: Vec<ChartView>,
    streams: Vec<StreamView>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChartView {
    id: String,
    telemetry_type: String,
    /// One of the groups, or none if there is none.
    groups: Vec<Vec<FilterView>>,
    projection: String,
    aggregation: String,
    /// The same over servers.
    across: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StreamView {
    id: String,
    groups: Vec<GroupView>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GroupView {
    telemetry_type: String,
    filters: Vec<FilterView>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterView {
    field: String,
    predicate: String,
    comparand: String,
}

/// The state of a reader after the last event.
struct Seen {
    since: i64,
    sample: u64,
    changes: Option<Changes>,
}

/// Clients post as long as a reader is connected.
pub(super) async fn live(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    let app = parameters.owned("app");
    let reader = context.store.live().read();
    let arrivals = context.store.live().arrivals();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let seen = Seen {
        since: i64::MIN,
        sample: 0,
        changes: None,
    };
    let state = (context, app, reader, arrivals, tick, seen);
    let events = stream::unfold(
        state,
        |(context, app, reader, mut arrivals, mut tick, mut seen)| async move {
            let is_first = seen.changes.is_none();
            if !is_first {
                tokio::time::sleep(PAUSE).await;
            }
            tokio::select! {
                biased;
                _ = tick.tick() => {}
                // The hub lives as long as the store.
                _ = arrivals.changed() => {}
            }
            let told = tell(context.store.live(), app.as_deref(), &mut seen);
            let event = Event::default()
                .event("live")
                .json_data(&told)
                .unwrap_or_default();
            Some((event, (context, app, reader, arrivals, tick, seen)))
        },
    );
    Ok(serve(events))
}

fn tell(hub: &Hub, app: Option<&str>, seen: &mut Seen) -> Told {
    let now = hub.now();
    hub.look(|live| {
        let shown = || live.servers.iter().filter(|server| is_of(server, app));
        let since = match seen.changes {
            None if live.servers.len() > MANY_SERVERS => now / 1_000 - FEW_SECONDS,
            _ => seen.since,
        };
        let servers = shown().map(|server| ServerView::new(server, live, now, since));
        let servers = servers.collect();
        let new = || {
            let of_app = |sample: &&Sample| shown().any(|server| server.id == sample.server);
            let later = |sample: &&Sample| sample.number > seen.sample;
            live.samples.iter().filter(later).filter(of_app)
        };
        let skipped = new().count().saturating_sub(MAX_SAMPLES);
        let samples = new().skip(skipped).map(|sample| SampleView {
            number: sample.number,
            server: sample.server,
            time: Time(sample.time * 1_000),
            item: sample.document.clone(),
        });
        let samples = samples.collect();
        let is_new = seen.changes != Some(live.changes());
        let told = Told {
            time: Time(now * 1_000),
            servers,
            refused: live.refused,
            samples,
            skipped,
            configuration: is_new.then(|| ConfigurationView::from(&live.info)),
            standard: seen
                .changes
                .is_none()
                .then(|| ConfigurationView::from(&default_configuration())),
        };
        seen.since = now / 1_000 - AGAIN;
        seen.sample = live.samples.back().map_or(seen.sample, |last| last.number);
        seen.changes = Some(live.changes());
        told
    })
}

/// A request for the servers does not cause clients to post.
pub(super) async fn servers(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    const SECONDS: i64 = 60;
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    let app = parameters.get("app");
    let hub = context.store.live();
    let now = hub.now();
    let servers = hub.look(|live| {
        let shown = live.servers.iter().filter(|server| is_of(server, app));
        let views = shown.map(|server| ServerView::new(server, live, now, now / 1_000 - SECONDS));
        Servers {
            is_watched: hub.is_read(),
            refused: live.refused,
            servers: views.collect(),
        }
    });
    Ok(Json(servers).into_response())
}

pub(super) async fn configuration(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Parameters::parse(query.as_deref(), &[])?;
    let live = context.store.live();
    let view = live.look(|live| ConfigurationView::from(&live.info));
    Ok(Json(view).into_response())
}

/// Replaces custom charts and filters, for all pages and clients.
pub(super) async fn configure(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    Parameters::parse(query.as_deref(), &[])?;
    if body.len() > MAX_CONFIGURATION {
        return Err(ApiError::too_large(format!(
            "a configuration has at most {MAX_CONFIGURATION} bytes"
        )));
    }
    let view: ConfigurationView = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request(format!("the configuration: {error}")))?;
    if view.charts.len() > MAX_CHARTS {
        return Err(ApiError::bad_request(format!(
            "there are at most {MAX_CHARTS} charts"
        )));
    }
    let chart_ids = view.charts.iter().map(|chart| &chart.id);
    let stream_ids = view.streams.iter().map(|stream| &stream.id);
    for id in chart_ids.chain(stream_ids) {
        // Names of the protocol begin with a backslash.
        if id.trim().is_empty() || id.starts_with('\\') {
            return Err(ApiError::bad_request(format!("{id:?} is no name")));
        }
    }
    for chart in &view.charts {
        if !["Sum", "Avg", "Min", "Max"].contains(&chart.across.as_str()) {
            return Err(ApiError::bad_request(format!(
                "{:?} of the chart {:?} is not one of Sum, Avg, Min, Max",
                chart.across, chart.id
            )));
        }
    }
    let live = context.store.live();
    live.configure(ConfigurationInfo::from(view))
        .map_err(ApiError::bad_request)?;
    let view = live.look(|live| ConfigurationView::from(&live.info));
    Ok(Json(view).into_response())
}

fn is_of(server: &Server, app: Option<&str>) -> bool {
    app.is_none_or(|app| app.is_empty() || server.app == app)
}

impl ServerView {
    fn new(server: &Server, live: &Live, now: i64, since: i64) -> Self {
        let rows = server.rows.iter().filter(|row| row.second >= since);
        let errors = server.errors.iter();
        Self {
            id: server.id,
            app: server.app.clone(),
            name: server.name.clone(),
            role: server.role.clone(),
            machine: server.machine.clone(),
            client: server.client.clone(),
            source: match server.source {
                Source::Client { .. } => "liveMetrics",
                Source::Telemetry(_) => "telemetry",
            },
            is_stale: server.is_stale(now),
            last_seen: Time(server.last_seen * 1_000),
            measures_process: server.measures_process,
            applies_filters: server.applies_filters(),
            is_quota_reached: server.is_quota_reached,
            warnings: warnings(server, &live.info),
            errors: errors
                .filter_map(|error| serde_json::to_value(error).ok())
                .collect(),
            rows: rows.map(columns).collect(),
        }
    }
}

/// The columns that `openapi.json` names.
fn columns(row: &Row) -> Vec<Value> {
    let charts: BTreeMap<_, _> = row
        .charts
        .iter()
        .map(|(id, (value, weight))| (id, [value, weight]))
        .collect();
    vec![
        row.second.into(),
        row.requests.into(),
        row.request_ms.into(),
        row.request_weight.into(),
        row.failed.into(),
        row.dependencies.into(),
        row.dependency_ms.into(),
        row.dependency_weight.into(),
        row.failed_dependencies.into(),
        row.exceptions.into(),
        row.cpu.into(),
        row.memory.into(),
        serde_json::json!(charts),
    ]
}

/// Known faults of clients in other languages.
fn warnings(server: &Server, info: &ConfigurationInfo) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    if matches!(server.source, Source::Telemetry(_)) {
        return warnings;
    }
    if server.looks_like_seconds {
        warnings.push("values look like seconds");
    }
    let of_metrics = info.metrics.iter().flat_map(|metric| &metric.filter_groups);
    let of_streams = info
        .document_streams
        .iter()
        .flat_map(|stream| &stream.document_filter_groups)
        .map(|group| &group.filters);
    let groups: Vec<&FilterGroupInfo> = of_metrics.chain(of_streams).collect();
    if server.is_of("py") && groups.iter().any(|group| group.filters.len() > 1) {
        warnings.push("only the first condition of a filter counts");
    }
    let unfiltered = ["Type", "Target", "Exception.StackTrace"];
    let filters = groups.iter().flat_map(|group| &group.filters);
    let is_dotnet = server.is_of("dotnet") && server.client.contains("otel");
    if is_dotnet
        && filters
            .into_iter()
            .any(|filter| unfiltered.contains(&filter.field_name.as_str()))
    {
        warnings.push("filters on Type, Target and Exception.StackTrace are always true");
    }
    if !server.applies_filters() {
        warnings.push("its samples cannot be filtered");
    }
    warnings
}

impl From<&ConfigurationInfo> for ConfigurationView {
    fn from(info: &ConfigurationInfo) -> Self {
        let charts = info.metrics.iter().map(|metric| ChartView {
            id: metric.id.clone(),
            telemetry_type: metric.telemetry_type.clone(),
            groups: metric.filter_groups.iter().map(filters).collect(),
            projection: metric.projection.clone(),
            aggregation: metric.aggregation.clone(),
            across: metric.back_end_aggregation.clone(),
        });
        let streams = info.document_streams.iter().map(|stream| StreamView {
            id: stream.id.clone(),
            groups: stream
                .document_filter_groups
                .iter()
                .map(|group| GroupView {
                    telemetry_type: group.telemetry_type.clone(),
                    filters: filters(&group.filters),
                })
                .collect(),
        });
        Self {
            charts: charts.collect(),
            streams: streams.collect(),
        }
    }
}

fn filters(group: &FilterGroupInfo) -> Vec<FilterView> {
    let filters = group.filters.iter().map(|filter| FilterView {
        field: filter.field_name.clone(),
        predicate: filter.predicate.clone(),
        comparand: filter.comparand.clone().unwrap_or_default(),
    });
    filters.collect()
}

impl From<ConfigurationView> for ConfigurationInfo {
    fn from(view: ConfigurationView) -> Self {
        let metrics = view.charts.into_iter().map(|chart| MetricInfo {
            id: chart.id,
            telemetry_type: chart.telemetry_type,
            filter_groups: chart.groups.into_iter().map(group_of).collect(),
            projection: chart.projection,
            aggregation: chart.aggregation,
            back_end_aggregation: chart.across,
        });
        let streams = view.streams.into_iter().map(|stream| StreamInfo {
            id: stream.id,
            document_filter_groups: stream
                .groups
                .into_iter()
                .map(|group| DocumentGroupInfo {
                    telemetry_type: group.telemetry_type,
                    filters: group_of(group.filters),
                })
                .collect(),
        });
        Self {
            metrics: metrics.collect(),
            document_streams: streams.collect(),
            ..Self::default()
        }
    }
}

fn group_of(filters: Vec<FilterView>) -> FilterGroupInfo {
    let filters = filters.into_iter().map(|filter| FilterInfo {
        field_name: filter.field,
        predicate: filter.predicate,
        comparand: Some(filter.comparand),
    });
    FilterGroupInfo {
        filters: filters.collect(),
    }
}
