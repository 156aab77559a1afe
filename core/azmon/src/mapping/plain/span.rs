//! The parts of a line that requests and calls share.

use opentelemetry::trace::{SpanId, Status, TraceId};

use super::conditions::{MOST_BYTES, are_plain, is_text};
use crate::envelope::TimeSpan;
use crate::instrument::SpanRecord;
use crate::instrument::direct::{Ended, SpanFields};
use crate::item::sample_rate;
use crate::json::{Clock, JsonLine};
use crate::mapping::mapper::COUNTED;
use crate::mapping::{Arena, Mapper, text};

/// The span of a request or call.
#[derive(Debug)]
pub(super) struct PlainSpan<'a> {
    fields: &'a SpanFields,
    sample_rate: Option<f64>,
}

impl<'a> PlainSpan<'a> {
    /// `None` if the mapper must handle the span.
    pub(super) fn of(record: &'a SpanRecord, mapper: &Mapper) -> Option<Self> {
        let fields = record.data();
        let is_plain = fields.span_context.trace_id() != TraceId::INVALID
            && mapper.resource_json().len() < MOST_BYTES
            && fields.events.is_empty()
            && fields.links.is_empty()
            && !matches!(&fields.status, Status::Error { description } if !description.is_empty());
        is_plain.then(|| Self {
            fields,
            sample_rate: sample_rate::percent(record.rate(), None),
        })
    }

    pub(super) fn trace_id(&self) -> TraceId {
        self.fields.span_context.trace_id()
    }

    /// The sampling rate in percent; `None` for 100.
    pub(super) fn sample_rate(&self) -> Option<f64> {
        self.sample_rate
    }

    /// Begins a line, up to the operation's name. `kind` is `Request` or `RemoteDependency`.
    pub(super) fn begin(
        &self,
        kind: &str,
        mapper: &Mapper,
        clock: &mut Clock,
        line: &mut JsonLine<'_>,
    ) {
        line.raw(r#"{"name":"Microsoft.ApplicationInsights."#);
        line.raw(kind);
        line.raw(r#"","time":""#);
        line.time(self.fields.start_time, clock);
        line.raw(r#"","#);
        if let Some(rate) = self.sample_rate {
            line.raw(r#""sampleRate":"#);
            line.float(rate);
            line.raw(",");
        }
        line.raw(mapper.resource_json());
        line.raw(r#","ai.operation.id":""#);
        line.hex(self.trace_id().to_bytes());
        line.raw(r#"""#);
    }

    /// Ends the tags, and begins the data up to their name.
    pub(super) fn begin_data(&self, kind: &str, line: &mut JsonLine<'_>) {
        if self.fields.parent_span_id != SpanId::INVALID {
            line.raw(r#","ai.operation.parentId":""#);
            line.hex(self.fields.parent_span_id.to_bytes());
            line.raw(r#"""#);
        }
        line.raw(r#"},"data":{"baseType":""#);
        line.raw(kind);
        line.raw(r#"Data","baseData":{"ver":2,"id":""#);
        line.hex(self.fields.span_context.span_id().to_bytes());
        line.raw(r#"","name":"#);
    }

    /// Writes the duration without its key. A clock that went backwards yields zero.
    pub(super) fn duration(&self, line: &mut JsonLine<'_>) {
        let duration = self.fields.end_time.duration_since(self.fields.start_time);
        line.raw(r#"""#);
        line.display(TimeSpan(duration.unwrap_or_default()));
        line.raw(r#"""#);
    }
}

/// Whether no rule reads the response and the attributes that were set after the start.
pub(super) fn is_plain_end<Facts>(ended: &Ended<'_, Facts>) -> bool {
    ended.error_type.is_none_or(is_text) && are_plain(ended.attributes)
}

/// Ends the properties and the line. `counted_by` names the standard metric that counts the item.
pub(super) fn end<Facts>(
    ended: &Ended<'_, Facts>,
    counted_by: Option<&str>,
    arena: &Arena,
    line: &mut JsonLine<'_>,
) {
    for attribute in ended.attributes {
        line.raw(",");
        line.text(attribute.key.as_str());
        line.raw(":");
        line.text(text::of(&attribute.value, arena));
    }
    if let Some(version) = ended.version {
        line.raw(r#","network.protocol.version":""#);
        line.raw(version);
        line.raw(r#"""#);
    }
    if let Some(size) = ended.response_size {
        line.raw(r#","http.response.body.size":""#);
        line.integer(size);
        line.raw(r#"""#);
    }
    if let Some(cancelled) = ended.cancelled {
        line.raw(r#","azmon.cancelled":"#);
        line.text(cancelled);
    }
    if let Some(error_type) = ended.error_type {
        line.raw(r#","error.type":"#);
        line.text(error_type);
    }
    if let Some(counted_by) = counted_by {
        line.raw(",");
        line.text(COUNTED);
        line.raw(":");
        line.text(counted_by);
    }
    line.raw("}}}}\n");
}
