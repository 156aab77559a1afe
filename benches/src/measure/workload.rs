use super::Figure;
use crate::fixtures::{Addresses, Backend, Nowhere};

/// Work that can be repeated.
///
/// A closure that takes the number of operations is one.
pub trait Workload {
    /// Makes ready what the next run takes but does not measure, such as its requests.
    fn prepare(&mut self, _operations: u64) {}

    /// Does the work, on the calling thread. Only this is measured.
    fn run(&mut self, operations: u64);

    /// Where its spans go.
    fn backend(&self) -> &dyn Backend {
        &Nowhere
    }

    /// Brings the process to rest after a run: what waits to be sent is sent.
    fn settle(&mut self) {
        self.backend().flush();
    }

    /// How many spans have been delivered since the start, if that is counted. Called when settled.
    fn delivered(&self) -> Option<u64> {
        self.backend().delivered()
    }

    /// What else is known about the runs so far. Called when settled.
    fn figures(&mut self) -> Vec<Figure> {
        self.backend().figures()
    }

    /// Where it answers, if it is a server.
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
