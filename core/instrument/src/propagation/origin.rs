use std::sync::LazyLock;

use http::HeaderValue;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceFlags, TraceId, TraceState};

/// The random flag of section 3.2.2.4: the trace id is random.
pub(super) const RANDOM: TraceFlags = TraceFlags::new(0b10);

/// Marks the spans of this process whose trace arrived without the random flag. It never leaves the process: headers
/// are written with the flags of the specification only.
///
/// Azmon's own tracer gives it to its spans, and children inherit it with the other flags.
pub(super) const NOT_RANDOM: TraceFlags = TraceFlags::new(0b1000_0000);

/// The received `tracestate` of a trace.
///
/// A [`SpanContext`] cannot keep it, because [`TraceState`] refuses some valid keys. It applies to the spans of one
/// trace; a trace that begins inside the context has none.
#[derive(Debug, Clone)]
pub(super) struct TraceOrigin {
    pub(super) trace_id: TraceId,
    pub(super) random: bool,
    pub(super) received: HeaderValue,
    /// The state of the remote span: empty if the API refuses a key.
    pub(super) given: TraceState,
}

impl TraceOrigin {
    pub(super) fn of<'a>(context: &'a Context, span: &SpanContext) -> Option<&'a Self> {
        context
            .get::<Self>()
            .filter(|origin| origin.trace_id == span.trace_id())
    }
}

/// The state of a trace that arrived without members and without the random flag, for spans of other tracers.
///
/// It is an empty list that the API does not regard as equal to [`TraceState::NONE`]. Every span of the trace inherits
/// it, including unsampled ones that lose their flags. It distinguishes such a trace from a trace that began here. A
/// value in the context would do the same, but cost each request three allocations.
pub(super) fn state_without_random_flag() -> TraceState {
    static EMPTY: LazyLock<TraceState> = LazyLock::new(|| {
        TraceState::NONE
            .insert("k", "v")
            .and_then(|state| state.delete("k"))
            .unwrap_or_default()
    });
    EMPTY.clone()
}

/// Whether the trace id of `span` is known to be random.
pub(super) fn is_random(context: &Context, span: &SpanContext) -> bool {
    match TraceOrigin::of(context, span) {
        Some(origin) => origin.random,
        None if span.is_remote() => span.trace_flags() & RANDOM == RANDOM,
        None => {
            *span.trace_state() == TraceState::NONE && span.trace_flags() & NOT_RANDOM != NOT_RANDOM
        }
    }
}

/// The trace state of a child that a sampler decides about. An unsampled child of the SDK's tracer loses its flags, but
/// not its state.
#[doc(hidden)]
#[must_use]
pub fn state_for_child(parent: &SpanContext) -> TraceState {
    let state = parent.trace_state();
    if *state == TraceState::NONE && parent.trace_flags() & NOT_RANDOM == NOT_RANDOM {
        state_without_random_flag()
    } else {
        state.clone()
    }
}
