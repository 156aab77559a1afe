use std::mem::size_of;

use opentelemetry::{Array, KeyValue, Value};

use crate::envelope::Envelope;
use crate::instrument::direct::SpanFields;
use crate::item::{LogData, SpanView};

/// The memory that a span holds, in bytes, within a small factor: what an allocator adds is not known.
pub(super) fn of_span(span: SpanView<'_>) -> usize {
    let events = span
        .events
        .iter()
        .map(|event| size_of_val(event) + event.name.len() + of_attributes(&event.attributes));
    let links = span
        .links
        .iter()
        .map(|link| size_of_val(link) + of_attributes(&link.attributes));
    size_of::<SpanFields>()
        + of_attributes(span.attributes)
        + events.sum::<usize>()
        + links.sum::<usize>()
}

/// The memory that an envelope holds beside its payload's own fields, in bytes.
pub(super) fn of_envelope(envelope: &Envelope<'_>) -> usize {
    let texts = envelope
        .tags
        .iter()
        .chain(envelope.data.properties().iter());
    let texts = texts.map(|(key, value)| 2 * size_of::<String>() + key.len() + value.len());
    size_of::<Envelope<'_>>() + texts.sum::<usize>()
}

/// The memory that a log record holds, in bytes, within the same factor.
pub(super) fn of_log(log: &LogData) -> usize {
    size_of::<LogData>() + of_attributes(log.attributes()) + log.body().map_or(0, of_value)
}

fn of_attributes(attributes: &[KeyValue]) -> usize {
    size_of_val(attributes)
        + attributes
            .iter()
            .map(|attribute| of_value(&attribute.value))
            .sum::<usize>()
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
