//! `traceparent`, `tracestate` and `baggage`.

use azmon_instrument::propagation::{extract, inject};
use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

use super::Bytes;

const PARENTS: [&str; 8] = [
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "",
];

const PIECES: [&str; 16] = [
    "a=1",
    ",",
    "=",
    "k@v=x",
    "t@=1",
    " ",
    "\t",
    "%20",
    "%zz",
    ";p=1",
    "rojo=00f067aa0ba902b7",
    "\"",
    "\\",
    "é",
    "-",
    "key=value;property",
];

fn value(bytes: &mut Bytes<'_>) -> Option<HeaderValue> {
    let mut text = Vec::new();
    let count = bytes.below(20);
    for _ in 0..count {
        match bytes.below(16) {
            0 => text.extend_from_slice(bytes.raw()),
            _ => text.extend_from_slice(bytes.pick(&PIECES).unwrap_or_default().as_bytes()),
        }
    }
    if bytes.below(256) == 255 {
        text = text.repeat(100);
    }
    HeaderValue::from_bytes(&text).ok()
}

fn parent(bytes: &mut Bytes<'_>) -> Option<HeaderValue> {
    let mut text = bytes.pick(&PARENTS).unwrap_or_default().as_bytes().to_vec();
    if bytes.below(3) == 0 && !text.is_empty() {
        let place = bytes.below(text.len());
        let byte = bytes.byte();
        if let Some(changed) = text.get_mut(place) {
            *changed = byte;
        }
    }
    HeaderValue::from_bytes(&text).ok()
}

/// Extracts headers made of these bytes, injects them again, and extracts the result. Nothing may panic, and the
/// second extraction must return the same span.
///
/// # Errors
/// Describes the difference.
pub fn ids(bytes: &[u8]) -> Result<(), String> {
    let mut bytes = Bytes::new(bytes);
    let mut headers = HeaderMap::new();
    for _ in 0..=bytes.below(3) {
        if let Some(parent) = parent(&mut bytes) {
            headers.append("traceparent", parent);
        }
    }
    for name in ["tracestate", "baggage"] {
        for _ in 0..bytes.below(4) {
            if let Some(value) = value(&mut bytes) {
                headers.append(name, value);
            }
        }
    }
    let read = extract(&Context::new(), &headers);
    let mut written = HeaderMap::new();
    inject(&read, &mut written);
    let again = extract(&Context::new(), &written);
    let (read, again) = (read.span(), again.span());
    let (read, again) = (read.span_context(), again.span_context());
    let is_same = read.trace_id() == again.trace_id()
        && read.span_id() == again.span_id()
        && read.is_sampled() == again.is_sampled();
    if !is_same {
        return Err(format!("{headers:?} became {written:?}"));
    }
    let states = written.get_all("tracestate").iter().count();
    if states > 1 || written.get_all("traceparent").iter().count() > 1 {
        return Err(format!("repeated headers: {written:?}"));
    }
    Ok(())
}
