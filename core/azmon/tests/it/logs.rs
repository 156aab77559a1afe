//! Log records through the pipeline.

use std::time::Duration;

use azmon::envelope::tags;
use azmon::instrument::SampleRate;
use azmon::testing::InMemoryDestination;
use azmon::{DropReason, UnsampledLogs};
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{TraceContextExt, TraceFlags};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider};
use opentelemetry_sdk::trace::Sampler;

use crate::endpoint::{Endpoint, Script};
use crate::support::{
    builder, dropped, flushed, in_memory, in_memory_builder, name, property, request, tag,
};

fn log(provider: &SdkLoggerProvider, severity: Severity, text: &'static str) {
    let logger = provider.logger("it");
    let mut record = logger.create_log_record();
    record.set_severity_number(severity);
    record.set_body(text.into());
    logger.emit(record);
}

#[test]
fn a_record_belongs_to_the_enclosing_request() {
    let (telemetry, destination) = in_memory();
    let context = request(&telemetry, "GET /orders/{id}");
    let span = context.span().span_context().clone();
    {
        let _guard = context.attach();
        log(telemetry.logger_provider(), Severity::Info, "inside");
    }
    log(telemetry.logger_provider(), Severity::Info, "outside");
    let envelopes = flushed(&telemetry, &destination);
    let of = |text| envelopes.iter().find(|item| name(item) == text).unwrap();
    let inside = of("inside");
    assert_eq!(
        tag(inside, tags::OPERATION_ID),
        Some(&*span.trace_id().to_string())
    );
    assert_eq!(
        tag(inside, tags::OPERATION_PARENT_ID),
        Some(&*span.span_id().to_string())
    );
    assert_eq!(tag(inside, tags::OPERATION_NAME), Some("GET /orders/{id}"));
    assert_eq!(tag(inside, tags::CLOUD_ROLE), Some("it"));
    let outside = of("outside");
    for key in [
        tags::OPERATION_ID,
        tags::OPERATION_PARENT_ID,
        tags::OPERATION_NAME,
    ] {
        assert_eq!(tag(outside, key), None);
    }
}

#[test]
fn records_of_unsampled_spans_are_dropped_below_error_and_counted() {
    for (setting, texts, unsampled) in [
        (None, vec!["error", "outside"], 1),
        (Some(UnsampledLogs::Drop), vec!["outside"], 2),
        (
            Some(UnsampledLogs::Keep),
            vec!["info", "error", "outside"],
            0,
        ),
    ] {
        let destination = InMemoryDestination::new();
        let mut builder = in_memory_builder(&destination).sampler(Sampler::AlwaysOff);
        if let Some(setting) = setting {
            builder = builder.unsampled_logs(setting);
        }
        let telemetry = builder.build().unwrap();
        {
            let _guard = request(&telemetry, "GET /").attach();
            log(telemetry.logger_provider(), Severity::Info4, "info");
            log(telemetry.logger_provider(), Severity::Error, "error");
        }
        log(telemetry.logger_provider(), Severity::Debug, "outside");
        let envelopes = flushed(&telemetry, &destination);
        assert_eq!(envelopes.iter().map(name).collect::<Vec<_>>(), texts);
        let expected = [(DropReason::Unsampled, unsampled)];
        assert_eq!(
            dropped(&telemetry),
            &expected[usize::from(unsampled == 0)..]
        );
    }
}

#[test]
fn a_record_counts_as_much_as_its_request_and_one_that_is_always_kept_once() {
    let (telemetry, destination) = in_memory();
    let context = request(&telemetry, "GET /");
    context
        .span()
        .set_attribute(KeyValue::new(SampleRate::ATTRIBUTE, 20.0));
    {
        let _guard = context.clone().attach();
        log(telemetry.logger_provider(), Severity::Info, "info");
        log(telemetry.logger_provider(), Severity::Error, "error");
    }
    context.span().end();
    let of_memory = flushed(&telemetry, &destination);
    let rate = |text| {
        let item = of_memory.iter().find(|item| name(item) == text);
        item.unwrap().sample_rate
    };
    assert_eq!(rate("GET /"), Some(20.0));
    assert_eq!(rate("info"), Some(20.0));
    assert_eq!(rate("error"), Some(100.0));

    destination.clear();
    let context = request(&telemetry, "GET /").with_value(SampleRate::new(5.0).unwrap());
    let _guard = context.attach();
    log(telemetry.logger_provider(), Severity::Info, "under way");
    let envelopes = flushed(&telemetry, &destination);
    assert_eq!(envelopes[0].sample_rate, Some(5.0));
}

#[test]
fn records_share_the_queue_and_those_beyond_its_limit_are_counted() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .max_queue_items(2)
        .build()
        .unwrap();
    // The worker may take some records while others arrive.
    for _ in 0..10_000 {
        log(telemetry.logger_provider(), Severity::Info, "x");
    }
    let lost: u64 = dropped(&telemetry)
        .into_iter()
        .map(|(reason, count)| {
            assert_eq!(reason, DropReason::QueueFull);
            count
        })
        .sum();
    assert!(lost > 0);
}

#[test]
fn records_after_the_end_are_counted() {
    let (telemetry, _destination) = in_memory();
    let logger = telemetry.logger_provider().logger("it");
    telemetry.shutdown(Duration::from_secs(5)).unwrap();
    logger.emit(logger.create_log_record());
    assert_eq!(dropped(&telemetry), [(DropReason::Shutdown, 1)]);
}

#[test]
fn a_record_of_a_span_of_another_process_is_judged_by_its_flags() {
    let destination = InMemoryDestination::new();
    let telemetry = in_memory_builder(&destination)
        .unsampled_logs(UnsampledLogs::Drop)
        .build()
        .unwrap();
    let logger = telemetry.logger_provider().logger("it");
    for (flags, text) in [
        (Some(TraceFlags::SAMPLED), "sampled"),
        (Some(TraceFlags::default()), "unsampled"),
        (None, "unknown"),
    ] {
        let mut record = logger.create_log_record();
        record.set_body(text.into());
        record.set_trace_context(1.into(), 1.into(), flags);
        logger.emit(record);
    }
    let envelopes = flushed(&telemetry, &destination);
    assert_eq!(
        envelopes.iter().map(name).collect::<Vec<_>>(),
        ["sampled", "unknown"]
    );
}

/// Adds the region to every record.
#[derive(Debug)]
struct Region;

impl LogProcessor for Region {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        record.add_attribute("region", "eu");
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a_processor_of_the_user_changes_records_before_they_are_sent() {
    let destination = InMemoryDestination::new();
    let builder = in_memory_builder(&destination).log_processor(Region);
    let telemetry = builder.build().unwrap();
    log(telemetry.logger_provider(), Severity::Info, "hello");
    let envelopes = flushed(&telemetry, &destination);
    assert_eq!(property(&envelopes[0], "region"), Some("eu"));
}
