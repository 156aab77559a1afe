use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

use crate::instrument::direct::{SpanFields, SpanRate, SpanRecord};

/// A view of a span that has ended, either of the SDK or of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanView<'a> {
    pub(crate) span_context: &'a SpanContext,
    pub(crate) parent_span_id: SpanId,
    pub(crate) parent_span_is_remote: bool,
    pub(crate) span_kind: &'a SpanKind,
    pub(crate) name: &'a str,
    pub(crate) start_time: SystemTime,
    pub(crate) end_time: SystemTime,
    pub(crate) attributes: &'a [KeyValue],
    pub(crate) events: &'a [Event],
    pub(crate) links: &'a [Link],
    pub(crate) status: &'a Status,
    pub(crate) rate: SpanRate,
}

impl<'a> SpanView<'a> {
    /// The span of a record, with the attributes that are already written.
    pub(crate) fn of(record: &'a SpanRecord) -> Self {
        Self {
            rate: record.rate(),
            ..record.data().into()
        }
    }
}

impl SpanView<'_> {
    /// Whether the span has no parent in this process.
    pub(crate) fn is_local_root(&self) -> bool {
        self.parent_span_id == SpanId::INVALID || self.parent_span_is_remote
    }
}

impl<'a> From<&'a SpanData> for SpanView<'a> {
    fn from(span: &'a SpanData) -> Self {
        Self {
            span_context: &span.span_context,
            parent_span_id: span.parent_span_id,
            parent_span_is_remote: span.parent_span_is_remote,
            span_kind: &span.span_kind,
            name: &span.name,
            start_time: span.start_time,
            end_time: span.end_time,
            attributes: &span.attributes,
            events: &span.events.events,
            links: &span.links.links,
            status: &span.status,
            rate: SpanRate::Unknown,
        }
    }
}

impl<'a> From<&'a SpanFields> for SpanView<'a> {
    fn from(span: &'a SpanFields) -> Self {
        Self {
            span_context: &span.span_context,
            parent_span_id: span.parent_span_id,
            parent_span_is_remote: span.parent_span_is_remote,
            span_kind: &span.span_kind,
            name: &span.name,
            start_time: span.start_time,
            end_time: span.end_time,
            attributes: &span.attributes,
            events: &span.events,
            links: &span.links,
            status: &span.status,
            rate: SpanRate::Unknown,
        }
    }
}

/// Converts a span of the SDK to a record. The SDK has limited the attributes.
pub(crate) fn record_of(span: SpanData) -> Box<SpanRecord> {
    SpanFields {
        span_context: span.span_context,
        parent_span_id: span.parent_span_id,
        parent_span_is_remote: span.parent_span_is_remote,
        span_kind: span.span_kind,
        name: span.name,
        start_time: span.start_time,
        end_time: span.end_time,
        attributes: span.attributes,
        dropped_attributes_count: span.dropped_attributes_count,
        events: span.events.events,
        dropped_events_count: span.events.dropped_count,
        links: span.links.links,
        dropped_links_count: span.links.dropped_count,
        status: span.status,
    }
    .into()
}
