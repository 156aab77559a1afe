use std::mem::size_of;

use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// The memory that a span holds, in bytes, within a small factor: what an allocator adds is not known.
pub(super) fn of_span(span: &SpanData) -> usize {
    let events = span
        .events
        .iter()
        .map(|event| size_of_val(event) + event.name.len() + of_attributes(&event.attributes));
    let links = span
        .links
        .iter()
        .map(|link| size_of_val(link) + of_attributes(&link.attributes));
    size_of::<SpanData>()
        + of_attributes(&span.attributes)
        + events.sum::<usize>()
        + links.sum::<usize>()
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
