//! Converts a recorded input to the SDK's data.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use serde_json::{Map, Value};

/// The span of a recorded input.
#[must_use]
pub fn span(input: &Value) -> SpanData {
    let text = |key: &str| input[key].as_str().unwrap_or_default().to_owned();
    let mut events = SpanEvents::default();
    events.events = list(&input["events"]).map(event).collect();
    let mut links = SpanLinks::default();
    links.links = list(&input["links"]).map(link).collect();
    SpanData {
        span_context: context(&input["trace_id"], &input["span_id"]),
        parent_span_id: span_id(&input["parent"]["span_id"]),
        parent_span_is_remote: input["parent"]["is_remote"] == true,
        span_kind: kind(&input["kind"]),
        name: Cow::Owned(text("name")),
        start_time: time(&input["start_ns"]),
        end_time: time(&input["end_ns"]),
        attributes: attributes(&input["attributes"]),
        dropped_attributes_count: 0,
        events,
        links,
        status: status(&input["status"]),
        instrumentation_scope: InstrumentationScope::builder(text("scope")).build(),
    }
}

/// The resource of a recorded input.
#[must_use]
pub fn resource(input: &Value) -> Resource {
    let attributes = attributes(&input["resource"]);
    Resource::builder_empty()
        .with_attributes(attributes)
        .build()
}

fn event(event: &Value) -> Event {
    let name = event["name"].as_str().unwrap_or_default().to_owned();
    Event::new(
        name,
        time(&event["ts_ns"]),
        attributes(&event["attributes"]),
        0,
    )
}

fn link(link: &Value) -> Link {
    let context = context(&link["trace_id"], &link["span_id"]);
    Link::new(context, attributes(&link["attributes"]), 0)
}

fn context(trace_id: &Value, span_id_of_it: &Value) -> SpanContext {
    let trace = trace_id.as_str().and_then(|id| TraceId::from_hex(id).ok());
    SpanContext::new(
        trace.unwrap_or(TraceId::INVALID),
        span_id(span_id_of_it),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

pub(super) fn span_id(id: &Value) -> SpanId {
    let id = id.as_str().and_then(|id| SpanId::from_hex(id).ok());
    id.unwrap_or(SpanId::INVALID)
}

fn kind(kind: &Value) -> SpanKind {
    match kind.as_str() {
        Some("SERVER") => SpanKind::Server,
        Some("CLIENT") => SpanKind::Client,
        Some("PRODUCER") => SpanKind::Producer,
        Some("CONSUMER") => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn status(status: &Value) -> Status {
    match status["code"].as_str() {
        Some("OK") => Status::Ok,
        Some("ERROR") => Status::error(status["message"].as_str().unwrap_or_default().to_owned()),
        _ => Status::Unset,
    }
}

pub(super) fn time(nanoseconds: &Value) -> SystemTime {
    let nanoseconds = nanoseconds.as_i64().unwrap_or_default();
    let distance = Duration::from_nanos(nanoseconds.unsigned_abs());
    if nanoseconds < 0 {
        SystemTime::UNIX_EPOCH - distance
    } else {
        SystemTime::UNIX_EPOCH + distance
    }
}

pub(super) fn attributes(fields: &Value) -> Vec<KeyValue> {
    let empty = Map::new();
    let fields = fields.as_object().unwrap_or(&empty);
    let pairs = fields.iter().filter(|(_, value)| !value.is_null());
    pairs
        .map(|(key, value)| KeyValue::new(key.clone(), attribute(value)))
        .collect()
}

fn attribute(value: &Value) -> opentelemetry::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        Value::String(text) => text.clone().into(),
        Value::Array(items) => opentelemetry::Value::Array(array(items)),
        other => other.to_string().into(),
    }
}

/// The narrowest type of array that can hold all items.
fn array(items: &[Value]) -> Array {
    let booleans: Option<Vec<_>> = items.iter().map(Value::as_bool).collect();
    let integers: Option<Vec<_>> = items.iter().map(Value::as_i64).collect();
    let numbers: Option<Vec<_>> = items.iter().map(Value::as_f64).collect();
    let text = |item: &Value| match item {
        Value::String(text) => StringValue::from(text.clone()),
        other => StringValue::from(other.to_string()),
    };
    booleans
        .map(Array::Bool)
        .or_else(|| integers.map(Array::I64))
        .or_else(|| numbers.map(Array::F64))
        .unwrap_or_else(|| Array::String(items.iter().map(text).collect()))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
