//! Makes spans, and maps them.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use azmon::mapping::{Arena, Mapper, MappingOptions};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use serde_json::Value;

/// The host name that the mapping receives.
pub const HOST: &str = "<hostname>";

/// A span of 125 ms with a parent, and nothing else.
#[must_use]
pub fn span(kind: SpanKind, name: &str, attributes: Vec<KeyValue>) -> SpanData {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    SpanData {
        span_context: context(0x0af7_6519, 0xb7ad),
        parent_span_id: SpanId::from(0x00f0_67aa),
        parent_span_is_remote: false,
        span_kind: kind,
        name: Cow::Owned(name.to_owned()),
        start_time: start,
        end_time: start + Duration::from_millis(125),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

/// A sampled context.
#[must_use]
pub fn context(trace: u128, span: u64) -> SpanContext {
    let (trace, span) = (TraceId::from(trace), SpanId::from(span));
    SpanContext::new(
        trace,
        span,
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

/// The envelopes of a span of a service without a name, as JSON, with the service's limits applied.
#[must_use]
pub fn mapped(span: &SpanData) -> Vec<Value> {
    mapped_for(span, &Resource::builder_empty().build())
}

/// The envelopes of a span as JSON, with the service's limits applied.
///
/// A value that the serialiser rejects becomes `null`.
#[must_use]
pub fn mapped_for(span: &SpanData, resource: &Resource) -> Vec<Value> {
    let options = MappingOptions::default().host_name(HOST);
    let mapper = Mapper::new("00000000-0000-0000-0000-000000000000", resource, options);
    let arena = Arena::new();
    let mut envelopes = Vec::new();
    mapper.map_span(span, None, &arena, |mut envelope| {
        envelope.apply_limits();
        let json = serde_json::to_string(&envelope).unwrap_or_default();
        envelopes.push(serde_json::from_str(&json).unwrap_or_default());
    });
    envelopes
}
