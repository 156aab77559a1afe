use http::HeaderValue;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceId, TraceState};

use crate::instrument::OperationName;

/// What a [`Context`] must remember of the headers that its trace came with, because a [`SpanContext`]
/// cannot: the random flag, and a `tracestate` that [`TraceState`] refuses.
///
/// It holds for the spans of one trace; a trace that begins inside of the context has none.
#[derive(Debug, Clone)]
pub(in crate::instrument) struct TraceOrigin {
    pub(super) trace_id: TraceId,
    pub(super) random: bool,
    pub(super) tracestate: Option<ReceivedState>,
    /// Kept here since a second value in a context costs three more allocations.
    pub(in crate::instrument) operation: Option<OperationName>,
}

#[derive(Debug, Clone)]
pub(super) struct ReceivedState {
    pub(super) raw: HeaderValue,
    /// The same list as far as the API takes it: empty when it refuses a key.
    pub(super) parsed: TraceState,
}

impl TraceOrigin {
    pub(super) fn of<'a>(context: &'a Context, span: &SpanContext) -> Option<&'a Self> {
        context
            .get::<Self>()
            .filter(|origin| origin.trace_id == span.trace_id())
    }
}
