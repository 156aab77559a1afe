use std::thread;

use azmon::instrument::http::{Ending, Exchange};

/// Ends the exchange when the stack unwinds through it. Catches nothing.
#[derive(Debug)]
pub(crate) struct PanicMark<'a> {
    exchange: &'a mut Option<Box<Exchange>>,
    /// Unwinding had begun before: the panic is not one of the service.
    was_panicking: bool,
}

impl<'a> PanicMark<'a> {
    pub(crate) fn new(exchange: &'a mut Option<Box<Exchange>>) -> Self {
        Self {
            exchange,
            was_panicking: thread::panicking(),
        }
    }
}

impl Drop for PanicMark<'_> {
    fn drop(&mut self) {
        if thread::panicking()
            && !self.was_panicking
            && let Some(exchange) = self.exchange.take()
        {
            exchange.end(Ending::Panicked);
        }
    }
}
