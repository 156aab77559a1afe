use std::thread;

use azmon_instrument::http::Ending;

use super::Scope;

/// Ends the exchange when the stack unwinds through it. Catches nothing.
#[derive(Debug)]
pub(crate) struct PanicMark<'a> {
    scope: &'a mut Scope,
    /// Unwinding had begun before: the panic is not one of the service.
    was_panicking: bool,
}

impl<'a> PanicMark<'a> {
    pub(crate) fn new(scope: &'a mut Scope) -> Self {
        Self {
            scope,
            was_panicking: thread::panicking(),
        }
    }
}

impl Drop for PanicMark<'_> {
    fn drop(&mut self) {
        if thread::panicking()
            && !self.was_panicking
            && let Some(exchange) = self.scope.take_exchange()
        {
            exchange.end(Ending::Panicked);
        }
    }
}
