//! Estimates of the memory that items hold, in bytes, within a small factor: the overhead of the allocator is unknown.
//! Static texts, such as constant keys, count as if the item owned them.

use std::borrow::Cow;
use std::mem::size_of;

use opentelemetry::trace::{SpanContext, Status, TraceState};
use opentelemetry::{Array, KeyValue, Value};

use crate::envelope::{Data, Envelope};
use crate::instrument::direct::SpanFields;
use crate::item::LogData;

/// The memory of a span.
pub(super) fn of_span(span: &SpanFields) -> usize {
    let is_usual = span.events.is_empty()
        && span.links.is_empty()
        && !matches!(span.status, Status::Error { .. })
        && *span.span_context.trace_state() == TraceState::NONE;
    let usual = size_of::<SpanFields>() + span.name.len() + of_attributes(&span.attributes);
    if is_usual {
        usual
    } else {
        usual + of_unusual(span)
    }
}

/// The memory of what few spans have.
#[cold]
#[inline(never)]
fn of_unusual(span: &SpanFields) -> usize {
    let description = match &span.status {
        Status::Error { description } => description.len(),
        Status::Ok | Status::Unset => 0,
    };
    let events = span
        .events
        .iter()
        .map(|event| size_of_val(event) + event.name.len() + of_attributes(&event.attributes));
    let links = span.links.iter().map(|link| {
        size_of_val(link) + of_context(&link.span_context) + of_attributes(&link.attributes)
    });
    description + of_context(&span.span_context) + events.sum::<usize>() + links.sum::<usize>()
}

/// The memory of an envelope.
pub(super) fn of_envelope(envelope: &Envelope<'_>) -> usize {
    let texts = envelope
        .tags
        .iter()
        .chain(envelope.data.properties().iter());
    let texts = texts.map(|(key, value)| 2 * size_of::<String>() + key.len() + value.len());
    size_of::<Envelope<'_>>()
        + envelope.i_key.len()
        + texts.sum::<usize>()
        + of_data(&envelope.data)
}

/// The texts of a payload that may be long.
fn of_data(data: &Data<'_>) -> usize {
    let length = |text: &Option<Cow<'_, str>>| text.as_ref().map_or(0, |text| text.len());
    match data {
        Data::Request(data) => data.name.len() + length(&data.url) + length(&data.source),
        Data::RemoteDependency(data) => data.name.len() + length(&data.data) + length(&data.target),
        Data::Exception(data) => {
            let exceptions = data.exceptions.iter().map(|exception| {
                size_of_val(exception)
                    + exception.message.len()
                    + length(&exception.stack)
                    + size_of_val(exception.parsed_stack.as_slice())
            });
            exceptions.sum()
        }
        Data::Message(data) => data.message.len(),
        Data::Event(data) => data.name.len(),
        Data::Metric(data) => {
            let points = data.metrics.iter();
            points
                .map(|point| size_of_val(point) + point.name.len() + length(&point.namespace))
                .sum()
        }
        Data::Availability(data) => data.name.len() + length(&data.message),
        Data::PageView(data) => data.name.len() + length(&data.url),
        Data::PageViewPerf(data) => data.page.name.len() + length(&data.page.url),
    }
}

/// The memory of a log record.
pub(super) fn of_log(log: &LogData) -> usize {
    size_of::<LogData>()
        + of_attributes(log.attributes())
        + log.body().map_or(0, of_value)
        + log.target().map_or(0, str::len)
}

fn of_attributes(attributes: &[KeyValue]) -> usize {
    let texts = attributes
        .iter()
        .map(|attribute| attribute.key.as_str().len() + of_value(&attribute.value));
    size_of_val(attributes) + texts.sum::<usize>()
}

/// Only the header of a trace state reveals its length, and making it costs time; most spans have no trace state.
fn of_context(context: &SpanContext) -> usize {
    let state = context.trace_state();
    if *state == TraceState::NONE {
        0
    } else {
        state.header().len()
    }
}

fn of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(values)) => size_of_val(values.as_slice()),
        Value::Array(Array::I64(values)) => size_of_val(values.as_slice()),
        Value::Array(Array::F64(values)) => size_of_val(values.as_slice()),
        Value::Array(Array::String(values)) => values
            .iter()
            .map(|text| size_of_val(text) + text.as_str().len())
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::logs::LogRecord;
    use opentelemetry::trace::{Event, Link};
    use opentelemetry_sdk::trace::SpanData;

    use super::*;
    use crate::fixtures::{log_record, span};
    use crate::item::record_of;

    const MEGABYTE: usize = 1 << 20;

    fn long() -> String {
        "x".repeat(MEGABYTE)
    }

    #[test]
    fn every_text_of_a_span_counts() {
        type Change = fn(&mut SpanData);
        let changes: [(&str, Change); 7] = [
            ("name", |span| span.name = long().into()),
            ("status", |span| span.status = Status::error(long())),
            ("key", |span| span.attributes.push(KeyValue::new(long(), 1))),
            ("value", |span| {
                span.attributes.push(KeyValue::new("k", long()))
            }),
            ("event", |span| {
                let event = Event::new(long(), span.start_time, Vec::new(), 0);
                span.events.events.push(event);
            }),
            ("event's key", |span| {
                let attributes = vec![KeyValue::new(long(), 1)];
                let event = Event::new("e", span.start_time, attributes, 0);
                span.events.events.push(event);
            }),
            ("link's key", |span| {
                let attributes = vec![KeyValue::new(long(), 1)];
                let link = Link::new(span.span_context.clone(), attributes, 0);
                span.links.links.push(link);
            }),
        ];
        for (what, change) in changes {
            let mut span = span("x");
            assert!(of_span(record_of(span.clone()).data()) < 2_000);
            change(&mut span);
            assert!(of_span(record_of(span).data()) > MEGABYTE, "{what}");
        }
    }

    #[test]
    fn every_text_of_a_log_record_counts() {
        let scope = opentelemetry::InstrumentationScope::default();
        let sized = |fill: &dyn Fn(&mut opentelemetry_sdk::logs::SdkLogRecord)| {
            of_log(&LogData::new(&log_record(fill), &scope))
        };
        assert!(sized(&|_| ()) < 2_000);
        assert!(sized(&|record| record.set_body(long().into())) > MEGABYTE);
        assert!(sized(&|record| record.set_target(long())) > MEGABYTE);
        assert!(sized(&|record| record.add_attribute(long(), 1)) > MEGABYTE);
        assert!(sized(&|record| record.add_attribute("k", long())) > MEGABYTE);
    }
}
