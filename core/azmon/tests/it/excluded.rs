//! An excluded request records no span, but its log records, errors and panics arrive.

use std::time::Duration;

use azmon::Telemetry;
use azmon::envelope::{Data, Envelope};
use azmon::instrument::exclude::without_spans;
use azmon::testing::InMemoryDestination;
use opentelemetry::Context;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanKind, Tracer, TracerProvider};

fn log(telemetry: &Telemetry, severity: Severity) {
    let logger = telemetry.logger_provider().logger("app");
    let mut record = logger.create_log_record();
    record.set_severity_number(severity);
    record.set_body(AnyValue::from("hello"));
    logger.emit(record);
}

/// The received items of an excluded request.
fn arrived(keep_failures: bool) -> Vec<Envelope<'static>> {
    let destination = InMemoryDestination::new();
    let mut builder = Telemetry::builder()
        .destination(&destination)
        .standard_metrics(true)
        .install_globally(false);
    if keep_failures {
        builder = builder.keep_failures();
    }
    let telemetry = builder.build().unwrap();
    {
        let _request = without_spans(&Context::new(), None).attach();
        let tracer = telemetry.tracer_provider().tracer("app");
        let call = tracer.span_builder("GET").with_kind(SpanKind::Client);
        drop(tracer.build(call));
        tracer.in_span("work", |_| log(&telemetry, Severity::Info));
        log(&telemetry, Severity::Info);
        log(&telemetry, Severity::Error);
    }
    telemetry.shutdown(Duration::from_secs(10)).unwrap();
    destination.envelopes()
}

#[test]
fn its_logs_arrive_its_spans_do_not_and_its_calls_are_not_counted() {
    for keep_failures in [false, true] {
        let envelopes = arrived(keep_failures);
        let logs = envelopes
            .iter()
            .filter(|envelope| matches!(envelope.data, Data::Message(_)));
        assert_eq!(logs.count(), 3);
        for envelope in &envelopes {
            let is_span = matches!(envelope.data, Data::Request(_) | Data::RemoteDependency(_));
            assert!(!is_span, "{envelope:?}");
            if let Data::Metric(metric) = &envelope.data {
                let name = &metric.metrics[0].name;
                assert!(!name.ends_with("/duration"), "{name}");
            }
        }
    }
}
