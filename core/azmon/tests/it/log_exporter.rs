//! The plain log exporter under the SDK's own processors.

use std::time::Duration;

use azmon::envelope::{Data, tags};
use azmon::{DropReason, LogExporter, UnsampledLogs};
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::TraceFlags;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{
    BatchLogProcessor, LogBatch, LogExporter as _, LogProcessor, SdkLogRecord, SdkLoggerProvider,
    SimpleLogProcessor,
};

use crate::endpoint::{Endpoint, Reserved, Script, connection_string};
use crate::support::tag;

fn exporter(connection_string: String) -> LogExporter {
    LogExporter::builder()
        .connection_string(connection_string)
        .environment(|_| None)
        .build()
        .unwrap()
}

fn provider(processor: impl LogProcessor + 'static) -> SdkLoggerProvider {
    SdkLoggerProvider::builder()
        .with_log_processor(processor)
        .with_resource(Resource::builder_empty().with_service_name("plain").build())
        .build()
}

fn log(provider: &SdkLoggerProvider, text: &'static str) {
    let logger = provider.logger("it");
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Info);
    record.set_body(text.into());
    logger.emit(record);
}

#[test]
fn a_flush_of_the_batch_processor_waits_for_the_delivery() {
    let endpoint = Endpoint::start([Script::Accept]);
    let exporter = exporter(endpoint.connection_string());
    let provider = provider(BatchLogProcessor::builder(exporter).build());
    log(&provider, "hello");
    provider.force_flush().unwrap();
    let received = endpoint.received();
    assert_eq!(received[0].names(), ["hello"]);
    let envelope = &received[0].envelopes[0];
    assert_eq!(tag(envelope, tags::CLOUD_ROLE), Some("plain"));
    provider.shutdown().unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn the_simple_processor_delivers_every_record_as_it_comes() {
    let endpoint = Endpoint::start([Script::Accept, Script::Accept]);
    let exporter = exporter(endpoint.connection_string());
    let provider = provider(SimpleLogProcessor::new(exporter));
    log(&provider, "first");
    assert_eq!(endpoint.received().len(), 1);
    log(&provider, "second");
    assert_eq!(endpoint.received()[1].names(), ["second"]);
}

#[test]
fn undelivered_records_are_sent_after_their_pause_and_delay_no_others() {
    let reserved = Reserved::new();
    let exporter = exporter(connection_string(reserved.address()));
    let record = record(|record| record.set_body("held".into()));
    let scope = InstrumentationScope::default();
    let export = || {
        let batch = [(&record, &scope)];
        futures_executor::block_on(exporter.export(LogBatch::new(&batch)))
    };
    assert!(export().is_err());
    let endpoint = reserved.start([Script::Accept, Script::Accept]);
    export().unwrap();
    endpoint.wait_for(2);
    let received = endpoint.received();
    assert_eq!(
        received.iter().flat_map(|r| r.names()).collect::<Vec<_>>(),
        ["held", "held"]
    );
    exporter
        .shutdown_with_timeout(Duration::from_secs(5))
        .unwrap();
    assert!(export().is_err());
}

#[test]
fn records_of_unsampled_spans_follow_the_setting() {
    let endpoint = Endpoint::start([Script::Accept, Script::Accept]);
    let unsampled = |severity| {
        record(|record: &mut SdkLogRecord| {
            record.set_severity_number(severity);
            record.set_trace_context(1.into(), 1.into(), Some(TraceFlags::default()));
        })
    };
    let (info, error) = (unsampled(Severity::Info), unsampled(Severity::Error));
    let scope = InstrumentationScope::default();
    let batch = [(&info, &scope), (&error, &scope)];
    let plain = exporter(endpoint.connection_string());
    futures_executor::block_on(plain.export(LogBatch::new(&batch))).unwrap();
    assert_eq!(endpoint.received()[0].envelopes.len(), 1);
    let dropped = plain.dropped_items();
    assert_eq!(
        (dropped[0].reason, dropped[0].count),
        (DropReason::Unsampled, 1)
    );

    let keeping = LogExporter::builder()
        .connection_string(endpoint.connection_string())
        .environment(|_| None)
        .unsampled_logs(UnsampledLogs::Keep)
        .build()
        .unwrap();
    futures_executor::block_on(keeping.export(LogBatch::new(&batch))).unwrap();
    let received = endpoint.received();
    assert_eq!(received[1].envelopes.len(), 2);
    assert!(matches!(received[1].envelopes[0].data, Data::Message(_)));
}

fn record(fill: impl FnOnce(&mut SdkLogRecord)) -> SdkLogRecord {
    let logger = SdkLoggerProvider::builder().build().logger("it");
    let mut record = logger.create_log_record();
    fill(&mut record);
    record
}
