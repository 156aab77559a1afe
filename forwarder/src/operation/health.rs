//! Health over HTTP: `/livez`, `/readyz`, `/metrics`.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, header};

use crate::forwarder::ForwarderCounts;

/// The source of the counters.
type Counts = Arc<dyn Fn() -> Option<ForwarderCounts> + Send + Sync>;

/// The routes. `counts` returns `None` while the forwarder starts or ends.
///
/// - `GET /livez`: 200 while the process responds.
/// - `GET /readyz`: 200 if every input is listening; otherwise 503 with the inputs that are not.
/// - `GET /metrics`: the counters in the Prometheus text format.
pub fn router(counts: impl Fn() -> Option<ForwarderCounts> + Send + Sync + 'static) -> Router {
    let counts: Counts = Arc::new(counts);
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(counts)
}

async fn ready(State(counts): State<Counts>) -> impl IntoResponse {
    let Some(counts) = counts() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "starting or ending\n".to_owned(),
        );
    };
    let down = counts.inputs.iter().filter(|input| !input.is_listening);
    let down: String = down
        .map(|input| format!("the {} does not listen on {}\n", input.kind, input.address))
        .collect();
    if down.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, down)
    }
}

async fn metrics(State(counts): State<Counts>) -> impl IntoResponse {
    match counts() {
        Some(counts) => (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
            metrics_text(&counts),
        ),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::CONTENT_TYPE, "text/plain")],
            String::new(),
        ),
    }
}

/// The counters in the Prometheus text format.
#[must_use]
pub fn metrics_text(counts: &ForwarderCounts) -> String {
    let mut text = Text(String::new());
    let inputs = || counts.inputs.iter();
    let label = |key: &str| format!("input=\"{key}\"");
    text.family("azmon_forwarder_connections", "gauge", "Open connections");
    for input in inputs() {
        text.value(&label(input.kind.key()), input.connections as u64);
    }
    text.family(
        "azmon_forwarder_batches_total",
        "counter",
        "Messages with telemetry",
    );
    for input in inputs() {
        let label = label(input.kind.key());
        text.value(
            &format!("{label},result=\"received\""),
            input.counts.batches_received,
        );
        text.value(
            &format!("{label},result=\"failed\""),
            input.counts.batches_failed,
        );
    }
    text.family("azmon_forwarder_items_total", "counter", "Items");
    for input in inputs() {
        let label = label(input.kind.key());
        text.value(
            &format!("{label},result=\"received\""),
            input.counts.items_received,
        );
        text.value(
            &format!("{label},result=\"rejected\""),
            input.counts.items_rejected,
        );
    }
    text.family(
        "azmon_forwarder_left_out_total",
        "counter",
        "Items that were left out",
    );
    text.value("reason=\"excluded\"", counts.excluded);
    text.value("reason=\"sampled\"", counts.sampled_out);
    text.family(
        "azmon_forwarder_bytes_in_flight",
        "gauge",
        "Bytes of messages under way",
    );
    text.value("", counts.bytes_in_flight as u64);
    text.family(
        "azmon_forwarder_accepted_total",
        "counter",
        "Items that a destination took",
    );
    for one in &counts.destinations {
        text.value(&destination(&one.name), one.accepted);
    }
    text.family(
        "azmon_forwarder_waiting",
        "gauge",
        "Items that wait for a destination",
    );
    for one in &counts.destinations {
        text.value(&destination(&one.name), one.waiting as u64);
    }
    text.family(
        "azmon_forwarder_dropped_total",
        "counter",
        "Items that were lost",
    );
    for one in &counts.destinations {
        for (reason, count) in &one.dropped {
            text.value(
                &format!("{},reason=\"{reason}\"", destination(&one.name)),
                *count,
            );
        }
    }
    let live_metrics = || {
        let destinations = counts.destinations.iter();
        destinations.filter_map(|one| Some((destination(&one.name), one.live_metrics?)))
    };
    text.family(
        "azmon_forwarder_live_metrics_servers",
        "gauge",
        "Role instances that Live Metrics show",
    );
    for (label, live) in live_metrics() {
        text.value(&label, live.servers as u64);
    }
    text.family(
        "azmon_forwarder_live_metrics_left_out_total",
        "counter",
        "Items that Live Metrics do not show",
    );
    for (label, live) in live_metrics() {
        text.value(&label, live.left_out);
    }
    text.0
}

fn destination(name: &str) -> String {
    let escaped = name
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("destination=\"{escaped}\"")
}

/// Metrics as text. A sample belongs to the metric family of the preceding comment.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn value(&mut self, labels: &str, value: u64) {
        let name = self.0.rsplit("# TYPE ").next().unwrap_or_default();
        let name = name.split(' ').next().unwrap_or_default().to_owned();
        let _ = if labels.is_empty() {
            writeln!(self.0, "{name} {value}")
        } else {
            writeln!(self.0, "{name}{{{labels}}} {value}")
        };
    }
}
