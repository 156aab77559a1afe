use std::sync::LazyLock;

use http::HeaderValue;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceFlags, TraceId, TraceState};

/// The flag of section 3.2.2.4: the trace id is random.
pub(super) const RANDOM: TraceFlags = TraceFlags::new(0b10);

/// The `tracestate` that a trace came with, as it was received.
///
/// A [`SpanContext`] cannot keep it, since [`TraceState`] refuses keys that are valid. It holds for the
/// spans of one trace; a trace that begins inside of the context has none.
#[derive(Debug, Clone)]
pub(super) struct TraceOrigin {
    pub(super) trace_id: TraceId,
    pub(super) random: bool,
    pub(super) received: HeaderValue,
    /// What the remote span was given of it: nothing when the API refuses a key.
    pub(super) given: TraceState,
}

impl TraceOrigin {
    pub(super) fn of<'a>(context: &'a Context, span: &SpanContext) -> Option<&'a Self> {
        context
            .get::<Self>()
            .filter(|origin| origin.trace_id == span.trace_id())
    }
}

/// The state of a trace that came without members and without the random flag.
///
/// It is an empty list, which for the API is not equal to [`TraceState::NONE`], costs nothing to clone,
/// and is inherited by every span of the trace, also by those that are not sampled and lose their flags.
/// So such a trace is told from one that began here without a value in the context, which would cost
/// each request three allocations.
pub(super) fn state_without_random_flag() -> TraceState {
    static EMPTY: LazyLock<TraceState> = LazyLock::new(|| {
        TraceState::NONE
            .insert("k", "v")
            .and_then(|state| state.delete("k"))
            .unwrap_or_default()
    });
    EMPTY.clone()
}

/// Whether the id of the trace of `span` is known to be random.
pub(super) fn is_random(context: &Context, span: &SpanContext) -> bool {
    match TraceOrigin::of(context, span) {
        Some(origin) => origin.random,
        None if span.is_remote() => span.trace_flags() & RANDOM == RANDOM,
        None => *span.trace_state() == TraceState::NONE,
    }
}
