use azmon_instrument::propagation::state_for_child;
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt, TraceState};

/// The location of a new span's parent, and the decision about the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    /// The span begins a trace.
    None,
    /// In this process.
    Local { span_id: SpanId, sampled: bool },
    /// In another process.
    Remote { sampled: bool },
}

impl Parent {
    pub(crate) fn of(context: &Context) -> Self {
        // Reading a missing active span would create one.
        if !context.has_active_span() {
            return Self::None;
        }
        let span = context.span();
        let parent = span.span_context();
        if !parent.is_valid() {
            return Self::None;
        }
        let sampled = parent.is_sampled();
        if parent.is_remote() {
            return Self::Remote { sampled };
        }
        Self::Local {
            span_id: parent.span_id(),
            sampled,
        }
    }

    /// Whether the span is the first of its trace in this process.
    pub(crate) fn is_of_local_root(self) -> bool {
        !matches!(self, Self::Local { .. })
    }
}

/// The trace state that a child inherits.
pub(super) fn trace_state(context: Option<&Context>) -> TraceState {
    match context {
        Some(context) if context.has_active_span() => {
            state_for_child(context.span().span_context())
        }
        _ => TraceState::default(),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, TraceFlags, TraceId};

    use super::*;

    #[test]
    fn a_parent_is_local_remote_or_none() {
        let of = |span_id, flags, is_remote| {
            let span_id = SpanId::from_bytes(span_id);
            let trace_id = TraceId::from_bytes([1; 16]);
            let parent =
                SpanContext::new(trace_id, span_id, flags, is_remote, TraceState::default());
            Parent::of(&Context::new().with_remote_span_context(parent))
        };
        let span_id = SpanId::from_bytes([2; 8]);
        let (yes, no) = (TraceFlags::SAMPLED, TraceFlags::default());
        assert_eq!(Parent::of(&Context::new()), Parent::None);
        assert_eq!(of([0; 8], yes, true), Parent::None);
        assert_eq!(of([2; 8], yes, true), Parent::Remote { sampled: true });
        assert_eq!(of([2; 8], no, true), Parent::Remote { sampled: false });
        let sampled = true;
        assert_eq!(of([2; 8], yes, false), Parent::Local { span_id, sampled });
        assert!(!of([2; 8], yes, false).is_of_local_root());
        assert!(of([2; 8], yes, true).is_of_local_root());
    }
}
