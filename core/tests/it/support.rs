//! What several tests need.

use std::time::Duration;

use azmon::Telemetry;
use azmon::envelope::{Data, Envelope};
use opentelemetry::trace::{Tracer, TracerProvider};

/// Longer than any test: nothing is sent unless it is flushed, or a batch is full.
pub(crate) const NEVER: Duration = Duration::from_secs(3_600);

/// Telemetry that is not installed globally, knows nothing of the process's environment, and sends
/// nothing that it is not told to.
pub(crate) fn telemetry(connection_string: String) -> Telemetry {
    builder(connection_string).build().unwrap()
}

pub(crate) fn builder(connection_string: String) -> azmon::TelemetryBuilder {
    Telemetry::builder()
        .connection_string(connection_string)
        .environment(|_| None)
        .service_name("it")
        .max_export_delay(NEVER)
        .metric_interval(NEVER)
        .standard_metrics(false)
        .performance_counters(false)
        .sdk_statistics(false)
        .install_globally(false)
}

/// Starts and ends a span.
pub(crate) fn span(telemetry: &Telemetry, name: impl Into<String>) {
    telemetry
        .tracer_provider()
        .tracer("it")
        .in_span(name.into(), |_| ());
}

pub(crate) fn name(envelope: &Envelope<'_>) -> String {
    match &envelope.data {
        Data::Request(data) => data.name.to_string(),
        Data::RemoteDependency(data) => data.name.to_string(),
        Data::Metric(data) => data.metrics[0].name.to_string(),
        other => format!("{other:?}"),
    }
}

/// How many items were dropped, by reason.
pub(crate) fn dropped(telemetry: &Telemetry) -> Vec<(azmon::DropReason, u64)> {
    telemetry
        .dropped_items()
        .into_iter()
        .map(|dropped| (dropped.reason, dropped.count))
        .collect()
}
