//! Helpers that several tests share.

use std::time::Duration;

use azmon::envelope::{Data, Envelope, ExceptionData};
use azmon::instrument::OperationName;
use azmon::testing::InMemoryDestination;
use azmon::{SignalReport, Telemetry};
use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt, Tracer, TracerProvider};

/// Longer than any test: items are sent only by a flush or in a full batch.
pub(crate) const NEVER: Duration = Duration::from_secs(3_600);

/// Telemetry that is not installed globally, ignores the process's environment, and sends no built-in metrics.
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
        Data::Message(data) => data.message.to_string(),
        Data::Event(data) => data.name.to_string(),
        other => format!("{other:?}"),
    }
}

/// Telemetry in memory that is not installed globally.
pub(crate) fn in_memory() -> (Telemetry, InMemoryDestination) {
    let destination = InMemoryDestination::new();
    (
        in_memory_builder(&destination).build().unwrap(),
        destination,
    )
}

pub(crate) fn in_memory_builder(destination: &InMemoryDestination) -> azmon::TelemetryBuilder {
    Telemetry::builder()
        .destination(destination)
        .service_name("it")
        .max_export_delay(NEVER)
        .install_globally(false)
}

/// The received items after a flush.
pub(crate) fn flushed(
    telemetry: &Telemetry,
    destination: &InMemoryDestination,
) -> Vec<Envelope<'static>> {
    telemetry.force_flush().unwrap();
    destination.envelopes()
}

pub(crate) fn tag<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    envelope.tags.get(key).map(|value| &**value)
}

pub(crate) fn property<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    envelope.data.properties().get(key).map(|value| &**value)
}

pub(crate) fn exception<'a>(envelope: &'a Envelope<'static>) -> &'a ExceptionData<'static> {
    match &envelope.data {
        Data::Exception(data) => data,
        other => panic!("{other:?}"),
    }
}

/// The context of a running request, sampled or not, with an operation name.
pub(crate) fn request(telemetry: &Telemetry, name: &'static str) -> Context {
    let tracer = telemetry.tracer_provider().tracer("it");
    let span = tracer.span_builder(name).with_kind(SpanKind::Server);
    let context = Context::current_with_span(span.start(&tracer));
    context.with_value(OperationName(name.into()))
}

/// The number of dropped items, by reason.
pub(crate) fn dropped(telemetry: &Telemetry) -> Vec<(azmon::DropReason, u64)> {
    telemetry
        .dropped_items()
        .into_iter()
        .map(|dropped| (dropped.reason, dropped.count))
        .collect()
}

/// The numbers of sent, stored and dropped spans.
pub(crate) fn report(telemetry: &Telemetry) -> [u64; 3] {
    let SignalReport {
        sent,
        stored,
        dropped,
        ..
    } = telemetry.statistics().traces;
    [sent, stored, dropped]
}
