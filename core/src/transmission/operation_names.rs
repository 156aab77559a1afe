use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use opentelemetry::trace::{SpanKind, TraceId};
use opentelemetry_sdk::trace::SpanData;

/// How many traces are remembered.
const MOST_TRACES: usize = 4_096;
/// How many names are kept for use again. An application has few, unless it puts ids into them.
const MOST_NAMES: usize = 1_024;

/// The names of the requests that passed by, by trace: for their children that end later, or with them.
///
/// Children that end before their request and are sent without it learn its name only from the context
/// (see [`OperationName`](crate::instrument::OperationName)).
#[derive(Debug, Default)]
pub(super) struct OperationNames {
    by_trace: HashMap<TraceId, Arc<str>>,
    order: VecDeque<TraceId>,
    names: HashSet<Arc<str>>,
}

impl OperationNames {
    /// Remembers the span's name if it is the request at the root of its trace in this process.
    pub(super) fn remember(&mut self, span: &SpanData) {
        let is_request = matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer);
        let is_root = span.parent_span_id == opentelemetry::trace::SpanId::INVALID
            || span.parent_span_is_remote;
        if !is_request || !is_root {
            return;
        }
        let trace_id = span.span_context.trace_id();
        let name = self.intern(&span.name);
        if self.by_trace.insert(trace_id, name).is_none() {
            self.order.push_back(trace_id);
        }
        if self.order.len() > MOST_TRACES
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_trace.remove(&oldest);
        }
    }

    /// The name of the request that the span belongs to.
    pub(super) fn of(&self, span: &SpanData) -> Option<&str> {
        self.by_trace
            .get(&span.span_context.trace_id())
            .map(|name| &**name)
    }

    fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        if self.names.len() >= MOST_NAMES {
            self.names.clear();
        }
        let name: Arc<str> = name.into();
        self.names.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceState};

    use super::*;
    use crate::fixtures::span;

    fn of_trace(trace: u128, kind: SpanKind, name: &str) -> SpanData {
        let trace_id = TraceId::from_bytes(trace.to_be_bytes());
        let span_id = SpanId::from_bytes([1; 8]);
        let span_context = SpanContext::new(
            trace_id,
            span_id,
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        );
        SpanData {
            span_context,
            span_kind: kind,
            ..span(name)
        }
    }

    #[test]
    fn children_find_the_name_of_their_request() {
        let mut names = OperationNames::default();
        names.remember(&of_trace(1, SpanKind::Server, "GET /a"));
        names.remember(&of_trace(2, SpanKind::Consumer, "process b"));
        assert_eq!(
            names.of(&of_trace(1, SpanKind::Client, "x")),
            Some("GET /a")
        );
        assert_eq!(
            names.of(&of_trace(2, SpanKind::Internal, "x")),
            Some("process b")
        );
        assert_eq!(names.of(&of_trace(3, SpanKind::Internal, "x")), None);
    }

    #[test]
    fn only_a_request_at_the_root_gives_its_name() {
        let mut names = OperationNames::default();
        names.remember(&of_trace(1, SpanKind::Client, "call"));
        let inner = SpanData {
            parent_span_id: SpanId::from_bytes([2; 8]),
            ..of_trace(1, SpanKind::Server, "inner")
        };
        names.remember(&inner);
        assert_eq!(names.of(&inner), None);
        names.remember(&SpanData {
            parent_span_is_remote: true,
            ..inner.clone()
        });
        assert_eq!(names.of(&inner), Some("inner"));
    }

    #[test]
    fn memory_is_bounded() {
        let mut names = OperationNames::default();
        for trace in 1..=10_000 {
            names.remember(&of_trace(trace, SpanKind::Server, &format!("GET /{trace}")));
        }
        assert_eq!(
            (names.by_trace.len(), names.order.len()),
            (MOST_TRACES, MOST_TRACES)
        );
        assert!(names.names.len() <= MOST_NAMES);
        assert_eq!(names.of(&of_trace(1, SpanKind::Client, "x")), None);
        assert_eq!(
            names.of(&of_trace(10_000, SpanKind::Client, "x")),
            Some("GET /10000")
        );
    }
}
