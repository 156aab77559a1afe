//! Fixtures that unit tests of several modules share.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// A sampled internal span of 125 ms without a parent.
pub(crate) fn span(name: &str) -> SpanData {
    let start_time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    SpanData {
        span_context: SpanContext::new(
            TraceId::from_bytes(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()),
            SpanId::from_bytes(0xb7ad_6b71_6920_3331_u64.to_be_bytes()),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.to_owned().into(),
        start_time,
        end_time: start_time + Duration::from_millis(125),
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

/// A log record of the scope `scope`, as the SDK passes it to processors; the SDK has no other constructor.
pub(crate) fn log_record(fill: impl FnOnce(&mut SdkLogRecord)) -> SdkLogRecord {
    let seen = Arc::default();
    let capture = Capture(Arc::clone(&seen));
    let provider = SdkLoggerProvider::builder()
        .with_log_processor(capture)
        .build();
    let logger = provider.logger("scope");
    let mut record = logger.create_log_record();
    record.set_timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    fill(&mut record);
    logger.emit(record);
    let record = seen.lock().unwrap().take();
    record.unwrap()
}

#[derive(Debug)]
struct Capture(Arc<Mutex<Option<SdkLogRecord>>>);

impl LogProcessor for Capture {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        *self.0.lock().unwrap() = Some(record.clone());
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
