//! Items as OTLP JSON in the form of the collector's file exporter, for tools that only accept OpenTelemetry.
//!
//! | Item | Becomes |
//! |---|---|
//! | request | a span of kind server |
//! | dependency | a span of kind client; internal for `InProc`, producer for `Queue Message` |
//! | exception | a log record with `exception.type`, `.message`, `.stacktrace` |
//! | custom event, availability result | a log record with `microsoft.custom_event.name`, `microsoft.availability.*` |
//! | trace, page view, browser timing | a log record |
//! | metric, performance counter | a gauge; a histogram without buckets if it represents several values |
//!
//! Values without a field in OpenTelemetry are `microsoft.*` attributes, from which azmon makes the same item again.
//! Ids that
//! are not OpenTelemetry's become hashes. A metric loses its operation, user and session, which a data point does not have.

use std::collections::BTreeMap;

use azmon_envelope::{Data, ExceptionData, Measurements, MetricPoint, tags};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::store::{Item, stable_hash};

/// Tags that are attributes of a span or log record.
const TAGS: [(&str, &str); 8] = [
    (tags::OPERATION_NAME, "microsoft.operation_name"),
    (
        tags::OPERATION_SYNTHETIC_SOURCE,
        "microsoft.synthetic_source",
    ),
    (tags::SESSION_ID, "microsoft.session.id"),
    (tags::USER_ID, "enduser.pseudo.id"),
    (tags::USER_AUTH_USER_ID, "enduser.id"),
    (tags::USER_ACCOUNT_ID, "microsoft.user.account_id"),
    (tags::LOCATION_IP, "microsoft.client.ip"),
    (tags::USER_AGENT, "user_agent.original"),
];
/// Tags that are attributes of a resource.
const RESOURCE_TAGS: [(&str, &str); 3] = [
    (tags::CLOUD_ROLE, "service.name"),
    (tags::CLOUD_ROLE_INSTANCE, "service.instance.id"),
    (tags::APPLICATION_VERSION, "service.version"),
];

/// Span kinds of `opentelemetry.proto.trace.v1.Span`.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
const PRODUCER: u8 = 4;
/// Status codes of `opentelemetry.proto.trace.v1.Status`.
const OK: u8 = 1;
const ERROR: u8 = 2;
/// `AGGREGATION_TEMPORALITY_DELTA`.
const DELTA: u8 = 1;

/// Items of some resources, by signal.
#[derive(Debug, Default)]
pub(super) struct OtlpJson {
    spans: Signal,
    logs: Signal,
    metrics: Signal,
}

/// Records by resource, in the order of arrival.
type Signal = BTreeMap<BTreeMap<String, String>, Vec<Value>>;

impl OtlpJson {
    pub(super) fn add(&mut self, item: &Item) {
        let resource = resource(item);
        match &item.envelope().data {
            Data::Request(_) | Data::RemoteDependency(_) => {
                self.spans.entry(resource).or_default().push(span(item));
            }
            Data::Metric(data) => {
                let points = self.metrics.entry(resource).or_default();
                points.extend(data.metrics.iter().map(|point| metric(item, point)));
            }
            _ => self.logs.entry(resource).or_default().push(log(item)),
        }
    }

    /// A line for each signal that has records.
    pub(super) fn into_lines(self) -> String {
        let signals = [
            (self.spans, "resourceSpans", "scopeSpans", "spans"),
            (self.logs, "resourceLogs", "scopeLogs", "logRecords"),
            (self.metrics, "resourceMetrics", "scopeMetrics", "metrics"),
        ];
        let mut lines = String::new();
        for (signal, resources, scopes, records) in signals {
            if signal.is_empty() {
                continue;
            }
            let of_resource = |(resource, found): (BTreeMap<String, String>, Vec<Value>)| {
                let attributes = resource.iter().map(|(key, value)| attribute(key, value));
                json!({
                    "resource": {"attributes": attributes.collect::<Vec<_>>()},
                    scopes: [{"scope": {}, records: found}],
                })
            };
            let all: Vec<Value> = signal.into_iter().map(of_resource).collect();
            lines.push_str(&json!({ resources: all }).to_string());
            lines.push('\n');
        }
        lines
    }
}

/// The item's resource, or one that is derived from its tags.
fn resource(item: &Item) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Kept {
        resource: Option<BTreeMap<String, String>>,
    }

    let kept = serde_json::from_str(item.json()).map_or(None, |kept: Kept| kept.resource);
    kept.unwrap_or_else(|| {
        let known = RESOURCE_TAGS
            .iter()
            .filter_map(|(tag, key)| Some(((*key).to_owned(), item.tag(tag)?.to_owned())));
        known.collect()
    })
}

fn span(item: &Item) -> Value {
    let mut attributes = common(item);
    let mut add = |key: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            attributes.push(attribute(key, value));
        }
    };
    let kind = match &item.envelope().data {
        Data::RemoteDependency(data) => {
            let of_type = data.dependency_type.as_deref();
            add("microsoft.dependency.name", Some(&data.name));
            add("microsoft.dependency.type", of_type);
            add("microsoft.dependency.target", data.target.as_deref());
            add("microsoft.dependency.data", data.data.as_deref());
            add(
                "microsoft.dependency.resultCode",
                data.result_code.as_deref(),
            );
            match of_type.unwrap_or_default() {
                name if name.starts_with("InProc") => INTERNAL,
                name if name.starts_with("Queue Message") => PRODUCER,
                _ => CLIENT,
            }
        }
        Data::Request(data) => {
            add("microsoft.request.name", Some(&data.name));
            add("microsoft.request.resultCode", Some(&data.response_code));
            add("microsoft.request.url", data.url.as_deref());
            add("microsoft.request.source", data.source.as_deref());
            SERVER
        }
        _ => INTERNAL,
    };
    let id = crate::store::said::own_id(&item.envelope().data).unwrap_or_default();
    let start = nanoseconds(item);
    let duration = item.duration().unwrap_or_default().as_nanos();
    let code = if item.success() == Some(false) {
        ERROR
    } else {
        OK
    };
    let mut span = json!({
        "traceId": trace_id(item).unwrap_or_else(|| hashed(&["", id], 2)),
        "spanId": span_id(item, id),
        "name": item.name(),
        "kind": kind,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": (start + duration).to_string(),
        "attributes": attributes,
        "status": {"code": code},
    });
    if let Some(parent) = parent(item) {
        span["parentSpanId"] = parent.into();
    }
    span
}

fn log(item: &Item) -> Value {
    let mut attributes = common(item);
    let mut add = |key: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            attributes.push(attribute(key, value));
        }
    };
    let mut body = None;
    match &item.envelope().data {
        Data::Message(data) => body = Some(data.message.as_ref()),
        Data::Event(data) => add("microsoft.custom_event.name", Some(&data.name)),
        Data::Availability(data) => {
            let success = if data.success { "true" } else { "false" };
            add("microsoft.availability.id", Some(&data.id));
            add("microsoft.availability.name", Some(&data.name));
            add(
                "microsoft.availability.duration",
                Some(&data.duration.to_string()),
            );
            add("microsoft.availability.success", Some(success));
            add(
                "microsoft.availability.runLocation",
                data.run_location.as_deref(),
            );
            add("microsoft.availability.message", data.message.as_deref());
        }
        Data::Exception(data) => {
            if let Some(outer) = data.exceptions.first() {
                add("exception.type", outer.type_name.as_deref());
                add("exception.message", Some(&outer.message));
                add("exception.stacktrace", stack(data).as_deref());
            }
            attributes.extend(causes(data));
        }
        Data::PageView(data) => {
            body = Some(data.name.as_ref());
            add("url.full", data.url.as_deref());
        }
        Data::PageViewPerf(data) => {
            body = Some(data.page.name.as_ref());
            add("url.full", data.page.url.as_deref());
        }
        Data::Request(_) | Data::RemoteDependency(_) | Data::Metric(_) => {}
    }
    let mut record = json!({
        "timeUnixNano": nanoseconds(item).to_string(),
        "attributes": attributes,
    });
    if let Some(body) = body {
        record["body"] = json!({"stringValue": body});
    }
    if let Some(severity) = item.severity() {
        // Verbose is DEBUG; each level of OpenTelemetry has four numbers.
        record["severityNumber"] = (severity * 4 + 5).into();
    }
    if let Some(trace) = trace_id(item) {
        record["traceId"] = trace.into();
        if let Some(parent) = parent(item) {
            record["spanId"] = parent.into();
        }
    }
    record
}

fn metric(item: &Item, point: &MetricPoint<'_>) -> Value {
    let properties = item.envelope().data.properties().iter();
    let attributes: Vec<Value> = properties
        .map(|(key, value)| attribute(key, value))
        .collect();
    let time = nanoseconds(item).to_string();
    let count = point.count.unwrap_or(1);
    if count == 1 && point.min.is_none() && point.max.is_none() {
        let point_of =
            json!({"timeUnixNano": time, "asDouble": point.value, "attributes": attributes});
        return json!({"name": point.name, "gauge": {"dataPoints": [point_of]}});
    }
    let mut point_of = json!({
        "timeUnixNano": time, "count": count.max(0).to_string(), "sum": point.value,
        "bucketCounts": [count.max(0).to_string()], "explicitBounds": [], "attributes": attributes,
    });
    for (key, value) in [("min", point.min), ("max", point.max)] {
        if let Some(value) = value {
            point_of[key] = value.into();
        }
    }
    json!({
        "name": point.name,
        "histogram": {"aggregationTemporality": DELTA, "dataPoints": [point_of]},
    })
}

/// Properties, measurements, tags and the sample rate.
fn common(item: &Item) -> Vec<Value> {
    let envelope = item.envelope();
    let properties = envelope.data.properties().iter();
    let mut attributes: Vec<Value> = properties
        .map(|(key, value)| attribute(key, value))
        .collect();
    let of_tags = TAGS
        .iter()
        .filter_map(|(tag, key)| Some(attribute(key, item.tag(tag)?)));
    attributes.extend(of_tags);
    let measured = item.measurements().filter(|measured| !measured.is_empty());
    if let Some(measured) = measured {
        attributes.push(attribute(
            "microsoft.custom_measurements",
            &numbers(measured),
        ));
    }
    if let Some(rate) = envelope.sample_rate {
        attributes.push(json!({"key": "microsoft.sample_rate", "value": {"doubleValue": rate}}));
    }
    attributes
}

fn numbers(measured: &Measurements<'_>) -> String {
    let members = measured.iter();
    let object: serde_json::Map<String, Value> = members
        .map(|(key, value)| (key.to_owned(), Value::from(*value)))
        .collect();
    Value::Object(object).to_string()
}

/// The stack as it was sent, or its frames as text.
fn stack(data: &ExceptionData<'_>) -> Option<String> {
    let outer = data.exceptions.first()?;
    if let Some(stack) = outer.stack.as_deref().filter(|stack| !stack.is_empty()) {
        return Some(stack.to_owned());
    }
    let frames = outer.parsed_stack.iter().map(|frame| {
        let place = match (frame.file_name.as_deref(), frame.line) {
            (Some(file), Some(line)) => format!("\n             at {file}:{line}"),
            (Some(file), None) => format!("\n             at {file}"),
            _ => String::new(),
        };
        format!("{:4}: {}{place}", frame.level, frame.method)
    });
    let text = frames.collect::<Vec<_>>().join("\n");
    (!text.is_empty()).then_some(text)
}

/// Types and messages of the inner exceptions.
fn causes(data: &ExceptionData<'_>) -> Vec<Value> {
    let inner = data.exceptions.get(1..).unwrap_or_default();
    if inner.is_empty() {
        return Vec::new();
    }
    let list = |texts: Vec<&str>| {
        let values = texts.into_iter().map(|text| json!({"stringValue": text}));
        json!({"arrayValue": {"values": values.collect::<Vec<_>>()}})
    };
    let types = inner
        .iter()
        .map(|cause| cause.type_name.as_deref().unwrap_or_default());
    let messages = inner.iter().map(|cause| cause.message.as_ref());
    vec![
        json!({"key": "exception.cause.type", "value": list(types.collect())}),
        json!({"key": "exception.cause.message", "value": list(messages.collect())}),
    ]
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// Since 1970; times before are 1970.
fn nanoseconds(item: &Item) -> u128 {
    let since = item
        .envelope()
        .time
        .duration_since(std::time::SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_nanos()
}

fn trace_id(item: &Item) -> Option<String> {
    let id = item.operation_id()?;
    Some(if is_hexadecimal(id, 32) {
        id.to_ascii_lowercase()
    } else {
        hashed(&[id], 2)
    })
}

fn span_id(item: &Item, id: &str) -> String {
    let id = crate::store::span_id(id);
    if is_hexadecimal(id, 16) {
        id.to_ascii_lowercase()
    } else {
        hashed(&[item.operation_id().unwrap_or_default(), id], 1)
    }
}

fn parent(item: &Item) -> Option<String> {
    let parent = item.tag(tags::OPERATION_PARENT_ID)?;
    // A root names its operation.
    (Some(parent) != item.operation_id()).then(|| span_id(item, parent))
}

fn is_hexadecimal(id: &str, length: usize) -> bool {
    id.len() == length
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && id.bytes().any(|byte| byte != b'0')
}

/// So many words of 16 digits, the same for the same parts, and never all zero.
fn hashed(parts: &[&str], words: usize) -> String {
    const SALTS: [&str; 2] = ["low", "high"];

    let word = |salt: &&str| {
        let parts: Vec<&str> = parts.iter().copied().chain([*salt]).collect();
        format!("{:016x}", stable_hash(&parts) | 1)
    };
    SALTS.iter().take(words).map(word).collect()
}
