use super::Figure;
use crate::fixtures::{Addresses, Backend, Nowhere};

/// Work that can be repeated.
///
/// A closure that takes the number of operations is a workload.
pub trait Workload {
    /// Prepares the inputs of the next run, such as its requests, outside the measurement.
    fn prepare(&mut self, _operations: u64) {}

    /// Does the work, on the calling thread. Only this is measured.
    fn run(&mut self, operations: u64);

    /// The destination of its spans.
    fn backend(&self) -> &dyn Backend {
        &Nowhere
    }

    /// Sends waiting telemetry after a run.
    fn settle(&mut self) {
        self.backend().flush();
    }

    /// The number of spans delivered since the start, if counted. Called after [`settle`](Self::settle).
    fn delivered(&self) -> Option<u64> {
        self.backend().delivered()
    }

    /// The figures of the runs so far. Called after [`settle`](Self::settle).
    fn figures(&mut self) -> Vec<Figure> {
        self.backend().figures()
    }

    /// The addresses of the server, if the workload is one.
    fn addresses(&self) -> Option<Addresses> {
        None
    }
}

impl<F: FnMut(u64)> Workload for F {
    fn run(&mut self, operations: u64) {
        self(operations);
    }
}

impl Workload for Box<dyn Workload> {
    fn prepare(&mut self, operations: u64) {
        (**self).prepare(operations);
    }

    fn run(&mut self, operations: u64) {
        (**self).run(operations);
    }

    fn backend(&self) -> &dyn Backend {
        (**self).backend()
    }

    fn settle(&mut self) {
        (**self).settle();
    }

    fn delivered(&self) -> Option<u64> {
        (**self).delivered()
    }

    fn figures(&mut self) -> Vec<Figure> {
        (**self).figures()
    }

    fn addresses(&self) -> Option<Addresses> {
        (**self).addresses()
    }
}
