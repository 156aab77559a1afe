use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use opentelemetry::trace::TraceId;

/// How many traces are remembered.
const MOST_TRACES: usize = 4_096;
/// Number of names that are kept for reuse. An application has few, unless it puts ids into them.
const MOST_NAMES: usize = 1_024;

/// The operation names and sampling rates of recent requests, by trace: for children that end later or together with
/// the request, and for log records.
///
/// A child that ends and is sent before its request has the name only from its context (see
/// [`OperationName`](crate::instrument::OperationName)).
#[derive(Debug, Default)]
pub(super) struct OperationNames {
    by_trace: HashMap<TraceId, Request>,
    order: VecDeque<TraceId>,
    names: HashSet<Arc<str>>,
}

#[derive(Debug)]
struct Request {
    name: Arc<str>,
    sample_rate: Option<f64>,
}

impl OperationNames {
    /// Remembers the operation's name, and the sample rate, of the request at the root of a trace.
    pub(super) fn remember(&mut self, trace: TraceId, name: &str, sample_rate: Option<f64>) {
        let request = Request {
            name: self.intern(name),
            sample_rate,
        };
        if self.by_trace.insert(trace, request).is_none() {
            self.order.push_back(trace);
        }
        if self.order.len() > MOST_TRACES
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_trace.remove(&oldest);
        }
    }

    /// The operation name of a trace.
    pub(super) fn of(&self, trace: TraceId) -> Option<&str> {
        self.by_trace.get(&trace).map(|request| &*request.name)
    }

    /// The sampling rate of the root request of a trace, in percent.
    pub(super) fn sample_rate(&self, trace: TraceId) -> Option<f64> {
        self.by_trace.get(&trace)?.sample_rate
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
    use super::*;

    fn trace(number: u128) -> TraceId {
        TraceId::from_bytes(number.to_be_bytes())
    }

    #[test]
    fn a_trace_has_the_name_of_its_request() {
        let mut names = OperationNames::default();
        names.remember(trace(1), "GET /a", None);
        names.remember(trace(2), "process b", None);
        assert_eq!(names.of(trace(1)), Some("GET /a"));
        assert_eq!(names.of(trace(2)), Some("process b"));
        assert_eq!(names.of(trace(3)), None);
    }

    #[test]
    fn a_trace_has_the_sample_rate_of_its_request() {
        let mut names = OperationNames::default();
        names.remember(trace(1), "GET /a", Some(25.0));
        names.remember(trace(2), "GET /b", None);
        assert_eq!(names.sample_rate(trace(1)), Some(25.0));
        assert_eq!(names.sample_rate(trace(2)), None);
        assert_eq!(names.sample_rate(trace(3)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut names = OperationNames::default();
        for number in 1..=10_000 {
            names.remember(trace(number), &format!("GET /{number}"), None);
        }
        assert_eq!(
            (names.by_trace.len(), names.order.len()),
            (MOST_TRACES, MOST_TRACES)
        );
        assert!(names.names.len() <= MOST_NAMES);
        assert_eq!(names.of(trace(1)), None);
        assert_eq!(names.of(trace(10_000)), Some("GET /10000"));
    }
}
