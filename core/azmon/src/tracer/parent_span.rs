use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};

use crate::instrument::propagation::RemoteParent;
use crate::sampling::Parent;

/// The valid parent of a new span.
#[derive(Debug)]
pub(super) struct ParentSpan {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) flags: TraceFlags,
    pub(super) is_remote: bool,
    pub(super) state: TraceState,
}

impl ParentSpan {
    /// The active span of a context.
    pub(super) fn in_context(context: &Context) -> Option<Self> {
        // Reading a missing active span would create one.
        if !context.has_active_span() {
            return None;
        }
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            flags: span.trace_flags(),
            is_remote: span.is_remote(),
            state: span.trace_state().clone(),
        })
    }

    /// The span of a remote parent.
    pub(super) fn from_remote(remote: &RemoteParent) -> Self {
        let (trace_id, span_id, flags) = remote.ids();
        Self {
            trace_id,
            span_id,
            flags,
            is_remote: true,
            state: remote.state(),
        }
    }

    /// Makes the span active in a copy of `context`, as a local span, so that its children follow the decision of this
    /// process.
    pub(super) fn activate_in(self, context: &Context) -> Context {
        let Self {
            trace_id,
            span_id,
            flags,
            is_remote: _,
            state,
        } = self;
        let span = SpanContext::new(trace_id, span_id, flags, false, state);
        context.with_remote_span_context(span)
    }

    pub(super) fn as_parent(&self) -> Parent {
        let sampled = self.flags.is_sampled();
        match self.is_remote {
            true => Parent::Remote { sampled },
            false => Parent::Local {
                span_id: self.span_id,
                sampled,
            },
        }
    }

    /// Whether the parent's span context can be propagated unchanged in place of a new unsampled span. A client's span
    /// always has its own id, because its `traceparent` identifies the sender.
    pub(super) fn stands_for(&self, kind: &SpanKind) -> bool {
        *kind == SpanKind::Server && !self.flags.is_sampled()
    }
}
