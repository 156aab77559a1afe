//! The recommended rules, stated one by one.

mod calls;
mod context;
mod database;
mod http;
mod requests;
mod spans;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value as Attribute};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use serde_json::{Value, json};

use super::{Arena, Mapper, MappingOptions};

fn context(id: u64) -> SpanContext {
    let (trace, span) = (TraceId::from(0xabc), SpanId::from(id));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, false, Default::default())
}

fn span(kind: SpanKind, name: &str, attributes: &[(&'static str, Attribute)]) -> SpanData {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let pairs = attributes
        .iter()
        .map(|(key, value)| KeyValue::new(*key, value.clone()));
    SpanData {
        span_context: context(0x51),
        parent_span_id: SpanId::from(0x50),
        parent_span_is_remote: false,
        span_kind: kind,
        name: Cow::Owned(name.to_owned()),
        start_time: start,
        end_time: start + Duration::from_millis(125),
        attributes: pairs.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn envelopes_in(
    span: &SpanData,
    operation_name: Option<&str>,
    options: MappingOptions,
) -> Vec<Value> {
    let resource = Resource::builder_empty()
        .with_attributes([KeyValue::new("device.id", "of the resource")])
        .build();
    let mapper = Mapper::new("key", &resource, options);
    let arena = Arena::new();
    let mut envelopes = Vec::new();
    mapper.map_span(span, operation_name, &arena, |envelope| {
        envelopes.push(serde_json::to_value(&envelope).unwrap());
    });
    envelopes
}

fn envelopes(span: &SpanData) -> Vec<Value> {
    envelopes_in(span, None, MappingOptions::default())
}

fn data(kind: SpanKind, attributes: &[(&'static str, Attribute)]) -> Value {
    envelopes(&span(kind, "span", attributes))[0]["data"]["baseData"].clone()
}

fn texts<const N: usize>(
    pairs: [(&'static str, &'static str); N],
) -> [(&'static str, Attribute); N] {
    pairs.map(|(key, value)| (key, value.into()))
}

/// Type, target, data and code of a dependency, empty where they are absent.
fn call(kind: SpanKind, attributes: &[(&'static str, Attribute)]) -> [String; 4] {
    let data = data(kind, attributes);
    ["type", "target", "data", "resultCode"]
        .map(|field| data[field].as_str().unwrap_or_default().to_owned())
}
