use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::BaggagePropagator;

use super::carrier::{HeaderExtractor, HeaderInjector};
use super::origin::{ReceivedState, TraceOrigin};
use super::remote_parent::{RemoteParent, join};
use super::traceparent::TraceParent;
use super::{BAGGAGE, TRACEPARENT, TRACESTATE, tracestate};

/// A copy of `context` with the caller's span and baggage, as far as `headers` name them.
#[must_use]
pub fn extract(context: &Context, headers: &HeaderMap) -> Context {
    let context = match RemoteParent::from_headers(headers) {
        Some(parent) => parent.attach_to(context, None),
        None => context.clone(),
    };
    extract_baggage(context, headers)
}

/// Adds the `baggage` header of a request, if it has one, to `context`.
pub(super) fn extract_baggage(context: Context, headers: &HeaderMap) -> Context {
    if headers.contains_key(BAGGAGE) {
        BaggagePropagator::new().extract_with_context(&context, &HeaderExtractor(headers))
    } else {
        context
    }
}

/// Writes the active span and the baggage of `context` into the headers of a request.
///
/// Headers of these names are overwritten. A context without a valid span leaves `traceparent` and
/// `tracestate` as they are, one without baggage `baggage`.
pub fn inject(context: &Context, headers: &mut HeaderMap) {
    let span = context.span();
    let span = span.span_context();
    if span.is_valid()
        && let Ok(value) = HeaderValue::from_bytes(&traceparent(context, span).write())
    {
        headers.insert(TRACEPARENT, value);
        match tracestate(context, span) {
            Some(state) => headers.insert(TRACESTATE, state),
            None => headers.remove(TRACESTATE),
        };
    }
    if !context.baggage().is_empty() {
        BaggagePropagator::new().inject_context(context, &mut HeaderInjector(headers));
    }
}

/// The header for a child of `span`. A trace without an origin began here, with a random id.
pub(super) fn traceparent(context: &Context, span: &SpanContext) -> TraceParent {
    TraceParent {
        trace_id: span.trace_id(),
        span_id: span.span_id(),
        sampled: span.is_sampled(),
        random: TraceOrigin::of(context, span).map_or(!span.is_remote(), |origin| origin.random),
    }
}

/// What was received, unless a sampler or the application has changed the span's state since.
pub(super) fn tracestate(context: &Context, span: &SpanContext) -> Option<HeaderValue> {
    let state = span.trace_state();
    let received = TraceOrigin::of(context, span).and_then(|origin| origin.tracestate.as_ref());
    match received {
        Some(ReceivedState { raw, parsed }) if parsed == state => Some(raw.clone()),
        _ if state == &Default::default() => None,
        Some(ReceivedState { raw, parsed }) if parsed == &Default::default() => {
            merge(state.header().as_bytes(), raw.as_bytes())
        }
        _ => HeaderValue::try_from(state.header()).ok(),
    }
}

/// New members come first and replace received ones of the same key (section 3.3.1.4).
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
