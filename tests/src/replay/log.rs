//! A recorded input as a log record of the SDK.

use azmon::mapping::LogData;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use serde_json::Value;

use crate::replay::span::{span_id, time};

/// The log record of a recorded input.
#[must_use]
pub fn log(input: &Value) -> LogData {
    let text = |key: &str| input[key].as_str().filter(|text| !text.is_empty());
    // The SDK requires static texts; a recording has few.
    let forever = |key: &str| text(key).map(|text| &*text.to_owned().leak());
    let logger = SdkLoggerProvider::builder().build().logger("replay");
    let mut record = logger.create_log_record();
    if !input["timestamp_ns"].is_null() {
        record.set_timestamp(time(&input["timestamp_ns"]));
    }
    record.set_observed_timestamp(time(&input["observed_ns"]));
    if let Some(severity) = severity(&input["severity_number"]) {
        record.set_severity_number(severity);
    }
    if let Some(text) = forever("severity_text") {
        record.set_severity_text(text);
    }
    if let Some(name) = forever("event_name") {
        record.set_event_name(name);
    }
    if !input["body"].is_null() {
        record.set_body(any(&input["body"]));
    }
    for (key, value) in input["attributes"].as_object().into_iter().flatten() {
        if !value.is_null() {
            record.add_attribute(key.clone(), any(value));
        }
    }
    let trace = text("trace_id").and_then(|id| TraceId::from_hex(id).ok());
    let span = span_id(&input["span_id"]);
    if let Some(trace) = trace.filter(|_| span != SpanId::INVALID) {
        record.set_trace_context(trace, span, Some(TraceFlags::SAMPLED));
    }
    let scope = text("scope").unwrap_or_default().to_owned();
    LogData::new(&record, &InstrumentationScope::builder(scope).build())
}

fn any(value: &Value) -> AnyValue {
    match value {
        Value::Null => AnyValue::from("null"),
        Value::Bool(value) => AnyValue::from(*value),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => AnyValue::from(integer),
            None => AnyValue::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => AnyValue::from(text.clone()),
        Value::Array(items) => AnyValue::ListAny(Box::new(items.iter().map(any).collect())),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(key, value)| (key.clone().into(), any(value)));
            AnyValue::Map(Box::new(fields.collect()))
        }
    }
}

/// OpenTelemetry's severities by number.
fn severity(number: &Value) -> Option<Severity> {
    use Severity::{
        Debug, Debug2, Debug3, Debug4, Error, Error2, Error3, Error4, Fatal, Fatal2, Fatal3,
        Fatal4, Info, Info2, Info3, Info4, Trace, Trace2, Trace3, Trace4, Warn, Warn2, Warn3,
        Warn4,
    };
    let all = [
        Trace, Trace2, Trace3, Trace4, Debug, Debug2, Debug3, Debug4, Info, Info2, Info3, Info4,
        Warn, Warn2, Warn3, Warn4, Error, Error2, Error3, Error4, Fatal, Fatal2, Fatal3, Fatal4,
    ];
    let number = usize::try_from(number.as_u64()?).ok()?;
    all.get(number.checked_sub(1)?).copied()
}
