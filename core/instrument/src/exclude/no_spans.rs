use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId};

use crate::propagation::RemoteParent;

/// Marks a context that records no spans.
#[derive(Debug, Clone, Copy)]
struct NoSpans;

/// Whether `context` records neither spans nor metrics of requests: it belongs to an excluded request, or telemetry is
/// suppressed.
///
/// Instrumentation checks this before it starts a span. Log records of an excluded request are not affected.
#[must_use]
#[inline]
pub fn records_no_spans(context: &Context) -> bool {
    context.is_telemetry_suppressed() || is_excluded(context)
}

/// Whether `context` belongs to an excluded request.
#[must_use]
pub fn is_excluded(context: &Context) -> bool {
    context.get::<NoSpans>().is_some()
}

/// Copies `context` for an excluded request. The copy records no spans, but log records, errors and panics still
/// arrive, and ids are still propagated.
///
/// The active span of the copy is not sampled. It has the ids of the caller's span, or else of the active span, or else
/// new ids, so that a called service does not begin a trace of its own.
#[must_use]
pub fn without_spans(context: &Context, caller: Option<RemoteParent>) -> Context {
    let context = context.with_value(NoSpans);
    if let Some(caller) = caller {
        return caller.unsampled().attach_to(&context);
    }
    let active = context.span().span_context().clone();
    let (trace_id, span_id) = if active.is_valid() {
        (active.trace_id(), active.span_id())
    } else {
        new_ids()
    };
    let flags = active.trace_flags() & !TraceFlags::SAMPLED;
    let state = active.trace_state().clone();
    let span = SpanContext::new(trace_id, span_id, flags, active.is_remote(), state);
    context.with_remote_span_context(span)
}

/// Makes random ids: the system seeds `RandomState`, and each hasher of it returns other numbers.
fn new_ids() -> (TraceId, SpanId) {
    thread_local! {
        static STATE: RefCell<(RandomState, u64)> = RefCell::new((RandomState::new(), 0));
    }
    let number = || {
        STATE.with_borrow_mut(|(state, count)| {
            *count = count.wrapping_add(1);
            let mut hasher = state.build_hasher();
            hasher.write_u64(*count);
            // An id of zeros is invalid.
            hasher.finish().max(1)
        })
    };
    let trace_id = u128::from(number()) << 64 | u128::from(number());
    (TraceId::from(trace_id), SpanId::from(number()))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::propagation::{extract, inject};

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn propagated(context: &Context) -> HeaderMap {
        let mut headers = HeaderMap::new();
        inject(context, &mut headers);
        headers
    }

    #[test]
    fn a_context_without_spans_is_marked_and_not_suppressed() {
        let context = without_spans(&Context::new(), None);
        assert!(records_no_spans(&context) && is_excluded(&context));
        assert!(!context.is_telemetry_suppressed());
        assert!(!records_no_spans(&Context::new()));
        assert!(records_no_spans(
            &Context::new().with_telemetry_suppressed()
        ));
    }

    #[test]
    fn the_ids_of_the_caller_are_propagated_as_not_sampled() {
        let headers = HeaderMap::from_iter([
            ("traceparent".parse().unwrap(), CALLER.parse().unwrap()),
            ("tracestate".parse().unwrap(), "a=1".parse().unwrap()),
        ]);
        let caller = RemoteParent::from_headers(&headers);
        let headers = propagated(&without_spans(&Context::new(), caller));
        assert_eq!(headers["traceparent"], CALLER.replace("-01", "-00"));
        assert_eq!(headers["tracestate"], "a=1");
    }

    #[test]
    fn the_active_span_stands_for_a_caller() {
        let headers =
            HeaderMap::from_iter([("traceparent".parse().unwrap(), CALLER.parse().unwrap())]);
        let active = extract(&Context::new(), &headers);
        let headers = propagated(&without_spans(&active, None));
        assert_eq!(headers["traceparent"], CALLER.replace("-01", "-00"));
    }

    #[test]
    fn without_a_caller_each_request_has_its_own_ids() {
        let ids = || {
            let context = without_spans(&Context::new(), None);
            let span = context.span().span_context().clone();
            assert!(span.is_valid() && !span.is_sampled());
            span.trace_id()
        };
        assert_ne!(ids(), ids());
    }
}
