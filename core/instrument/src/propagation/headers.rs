use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceState};

use super::baggage::BaggageKeys;
use super::header_buffer::header_value;
use super::origin::{TraceOrigin, is_random};
use super::remote_parent::{RemoteParent, join};
use super::traceparent::TraceParent;
use super::{BAGGAGE, TRACEPARENT, TRACESTATE, baggage, tracestate};

/// Copies `context` and adds the caller's span and baggage, if `headers` contain them.
#[must_use]
pub fn extract(context: &Context, headers: &HeaderMap) -> Context {
    let context = extract_baggage(context, headers);
    match RemoteParent::from_headers(headers) {
        Some(parent) => parent.attach_to(&context),
        None => context,
    }
}

/// Copies `context` and adds the caller's baggage, if `headers` contain any.
#[must_use]
pub fn extract_baggage(context: &Context, headers: &HeaderMap) -> Context {
    match baggage::read(headers) {
        Some(baggage) => context.with_baggage(baggage),
        None => context.clone(),
    }
}

/// Writes the active span and the baggage of `context` into the headers of a request.
///
/// Existing headers of these names are overwritten. A context without a valid span leaves `traceparent` and
/// `tracestate` unchanged; one without baggage leaves `baggage` unchanged.
pub fn inject(context: &Context, headers: &mut HeaderMap) {
    inject_with(context, headers, &BaggageKeys::default());
}

/// [`inject`] for selected baggage keys. If `keys` are listed, an existing `baggage` header is removed, because it may
/// contain other keys.
pub fn inject_with(context: &Context, headers: &mut HeaderMap, keys: &BaggageKeys) {
    let span = context.span();
    let span = span.span_context();
    if let Some(parent) = traceparent(context) {
        headers.insert(TRACEPARENT, parent);
        if let Some(state) = tracestate(context, span) {
            headers.insert(TRACESTATE, state);
        } else if headers.keys().any(|name| name == TRACESTATE) {
            // Requests have few headers: a scan of all names is faster than a hash lookup.
            headers.remove(TRACESTATE);
        }
    }
    if let Some(baggage) = baggage::write(context.baggage(), keys) {
        headers.insert(BAGGAGE, baggage);
    } else if keys.are_listed() {
        headers.remove(BAGGAGE);
    }
}

/// Removes ids and baggage from the headers of a request, which its sender may have copied from its own caller.
pub fn remove_ids(headers: &mut HeaderMap) {
    for name in [TRACEPARENT, TRACESTATE, BAGGAGE] {
        headers.remove(name);
    }
}

/// The `traceparent` of the active span of `context`, if the span is valid.
#[must_use]
pub fn traceparent(context: &Context) -> Option<HeaderValue> {
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return None;
    }
    header_value(&trace_parent(context, span).write())
}

pub(super) fn trace_parent(context: &Context, span: &SpanContext) -> TraceParent {
    TraceParent {
        trace_id: span.trace_id(),
        span_id: span.span_id(),
        sampled: span.is_sampled(),
        random: is_random(context, span),
    }
}

/// The received `tracestate`, unless a sampler or the application has changed the span's state since.
pub(super) fn tracestate(context: &Context, span: &SpanContext) -> Option<HeaderValue> {
    let state = span.trace_state();
    let origin = TraceOrigin::of(context, span);
    if origin.is_none() && *state == TraceState::NONE {
        return None;
    }
    if let Some(origin) = origin.filter(|origin| origin.given == *state) {
        return Some(origin.received.clone());
    }
    let header = state.header();
    match origin.filter(|origin| origin.given.into_iter().len() == 0) {
        _ if header.is_empty() => None,
        Some(refused) => merge(header.as_bytes(), refused.received.as_bytes()),
        None => HeaderValue::try_from(header).ok(),
    }
}

/// New members come first and replace received ones with the same key (section 3.3.1.4).
fn merge(new: &[u8], received: &[u8]) -> Option<HeaderValue> {
    let is_replaced = |member: &&[u8]| {
        tracestate::members(std::iter::once(new))
            .any(|new| tracestate::key(new) == tracestate::key(member))
    };
    let kept = tracestate::members(std::iter::once(received)).filter(|member| !is_replaced(member));
    join(
        tracestate::members(std::iter::once(new))
            .chain(kept)
            .take(tracestate::MAX_MEMBERS),
    )
}
