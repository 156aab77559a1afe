//! The plain exporter under the SDK's own processors.

use std::time::Duration;

use azmon::envelope::tags;
use azmon::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLoggerProvider, SimpleLogProcessor};
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SdkTracerProvider, SimpleSpanProcessor, SpanProcessor,
};

use crate::endpoint::{Endpoint, Reserved, Script, connection_string};

fn exporter(connection_string: String) -> SpanExporter {
    SpanExporter::builder()
        .connection_string(connection_string)
        .environment(|_| None)
        .build()
        .unwrap()
}

fn provider(processor: impl SpanProcessor + 'static) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(Resource::builder_empty().with_service_name("plain").build())
        .build()
}

fn span(provider: &SdkTracerProvider, name: &'static str) {
    provider.tracer("it").in_span(name, |_| ());
}

#[test]
fn a_flush_of_the_batch_processor_waits_for_the_delivery() {
    let endpoint = Endpoint::start([Script::Accept]);
    let provider =
        provider(BatchSpanProcessor::builder(exporter(endpoint.connection_string())).build());
    span(&provider, "work");
    provider.force_flush().unwrap();
    let received = endpoint.received();
    assert_eq!(received[0].names(), ["work"]);
    assert_eq!(
        received[0].envelopes[0].tags.get(tags::CLOUD_ROLE).unwrap(),
        "plain"
    );
}

#[test]
fn a_shutdown_of_the_batch_processor_delivers_the_rest() {
    let endpoint = Endpoint::start([Script::Accept]);
    let provider =
        provider(BatchSpanProcessor::builder(exporter(endpoint.connection_string())).build());
    span(&provider, "last");
    provider.shutdown().unwrap();
    assert_eq!(endpoint.received()[0].names(), ["last"]);
}

#[test]
fn the_simple_processor_delivers_every_span_as_it_ends() {
    let endpoint = Endpoint::start([Script::Accept, Script::Accept]);
    let provider = provider(SimpleSpanProcessor::new(exporter(
        endpoint.connection_string(),
    )));
    span(&provider, "first");
    assert_eq!(endpoint.received().len(), 1);
    span(&provider, "second");
    assert_eq!(endpoint.received()[1].names(), ["second"]);
}

#[tokio::test(flavor = "current_thread")]
async fn the_simple_processor_works_in_a_current_thread_runtime() {
    let endpoint = Endpoint::start([Script::Accept]);
    let provider = provider(SimpleSpanProcessor::new(exporter(
        endpoint.connection_string(),
    )));
    span(&provider, "work");
    assert_eq!(endpoint.received()[0].names(), ["work"]);
}

#[test]
fn undelivered_spans_are_sent_by_a_later_flush() {
    let reserved = Reserved::new();
    let exporter = exporter(connection_string(reserved.address()));
    let export = |exporter: &SpanExporter| {
        futures_executor::block_on(opentelemetry_sdk::trace::SpanExporter::export(
            exporter,
            spans(),
        ))
    };
    assert!(export(&exporter).is_err());
    let endpoint = reserved.start([Script::Accept]);
    opentelemetry_sdk::trace::SpanExporter::force_flush(&exporter).unwrap();
    assert_eq!(endpoint.received()[0].names(), ["held"]);
    let timeout = Duration::from_secs(5);
    opentelemetry_sdk::trace::SpanExporter::shutdown_with_timeout(&exporter, timeout).unwrap();
    assert!(export(&exporter).is_err());
}

fn spans() -> Vec<opentelemetry_sdk::trace::SpanData> {
    let memory = opentelemetry_sdk::trace::InMemorySpanExporter::default();
    let provider = provider(SimpleSpanProcessor::new(memory.clone()));
    span(&provider, "held");
    memory.get_finished_spans().unwrap()
}

#[test]
fn exporters_that_the_environment_disables_take_everything_and_send_nothing() {
    for (value, arrives) in [("true", false), ("TRUE", false), ("false", true)] {
        let endpoint = Endpoint::start(vec![Script::Accept; 3]);
        let disabled = move |name: &str| (name == "OTEL_SDK_DISABLED").then(|| value.to_owned());
        let spans = SpanExporter::builder()
            .connection_string(endpoint.connection_string())
            .environment(disabled)
            .build()
            .unwrap();
        let logs = LogExporter::builder()
            .connection_string(endpoint.connection_string())
            .environment(disabled)
            .build()
            .unwrap();
        let metrics = MetricExporter::builder()
            .connection_string(endpoint.connection_string())
            .environment(disabled)
            .build()
            .unwrap();
        let tracers = provider(SimpleSpanProcessor::new(spans));
        let loggers = SdkLoggerProvider::builder()
            .with_log_processor(SimpleLogProcessor::new(logs))
            .build();
        let meters = SdkMeterProvider::builder()
            .with_reader(PeriodicReader::builder(metrics).build())
            .build();
        span(&tracers, "span");
        let logger = loggers.logger("it");
        let mut record = logger.create_log_record();
        record.set_body("log".into());
        logger.emit(record);
        meters.meter("it").u64_counter("metric").build().add(1, &[]);
        meters.force_flush().unwrap();
        tracers.shutdown().unwrap();
        loggers.shutdown().unwrap();
        meters.shutdown().unwrap();
        assert_eq!(!endpoint.received().is_empty(), arrives, "{value}");
    }
}
