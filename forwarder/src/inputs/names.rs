//! Operation names: a request's name is the operation name of spans and log records of the same trace and
//! service.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::TraceId;

/// The number of remembered traces: a few seconds of a busy system.
const TRACES: usize = 20_000;

/// The requests of the latest traces.
#[derive(Debug, Default)]
pub(crate) struct OperationNames {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// By trace and service: a trace has one request, and so one operation name, in each service.
    known: HashMap<(TraceId, u64), Operation>,
    order: VecDeque<(TraceId, u64)>,
}

/// The operation of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    pub(crate) name: String,
    /// In percent.
    pub(crate) sample_rate: Option<f64>,
}

impl OperationNames {
    /// Remembers a request. The first one of a trace and service takes precedence.
    pub(crate) fn remember(&self, trace: TraceId, service: u64, operation: Operation) {
        let mut memory = self.lock();
        let key = (trace, service);
        if memory.known.contains_key(&key) {
            return;
        }
        if memory.order.len() >= TRACES
            && let Some(oldest) = memory.order.pop_front()
        {
            memory.known.remove(&oldest);
        }
        memory.known.insert(key, operation);
        memory.order.push_back(key);
    }

    pub(crate) fn of(&self, trace: TraceId, service: u64) -> Option<Operation> {
        self.lock().known.get(&(trace, service)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(name: &str) -> Operation {
        Operation {
            name: name.to_owned(),
            sample_rate: None,
        }
    }

    fn trace(number: usize) -> TraceId {
        TraceId::from(number as u128 + 1)
    }

    #[test]
    fn each_service_of_a_trace_has_its_own_name_and_the_first_counts() {
        let names = OperationNames::default();
        names.remember(trace(0), 1, operation("GET /"));
        names.remember(trace(0), 1, operation("other"));
        names.remember(trace(0), 2, operation("POST /stock"));
        assert_eq!(names.of(trace(0), 1), Some(operation("GET /")));
        assert_eq!(names.of(trace(0), 2), Some(operation("POST /stock")));
        assert_eq!(names.of(trace(1), 1), None);
    }

    #[test]
    fn the_oldest_traces_are_forgotten() {
        let names = OperationNames::default();
        for number in 0..=TRACES {
            names.remember(trace(number), 1, operation("x"));
        }
        assert_eq!(names.of(trace(0), 1), None);
        assert!(names.of(trace(TRACES), 1).is_some());
        assert_eq!(names.lock().known.len(), TRACES);
    }
}
