use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll, ready};
use std::thread;

use azmon::instrument::http::{Ending, Exchange};
use opentelemetry::Context;

/// Polls and drops a future in a context, and ends the exchange if it panics.
pub(crate) struct InContext<'a, F> {
    // Optional so that it can be dropped in the context.
    inner: Option<F>,
    context: Context,
    exchange: &'a mut Option<Exchange>,
}

impl<'a, F> InContext<'a, F> {
    /// Makes `inner` in the context too.
    pub(crate) fn new(exchange: &'a mut Option<Exchange>, inner: impl FnOnce() -> F) -> Self {
        let context = exchange.as_ref().map(Exchange::context).unwrap_or_default();
        let inner = {
            let _attached = context.clone().attach();
            inner()
        };
        Self {
            inner: Some(inner),
            context,
            exchange,
        }
    }
}

impl<F: Future + Unpin> Future for InContext<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Pending;
        };
        let _attached = this.context.clone().attach();
        let _mark = PanicMark::new(this.exchange);
        let output = ready!(Pin::new(inner).poll(cx));
        this.inner = None;
        Poll::Ready(output)
    }
}

impl<F> Drop for InContext<'_, F> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            let _attached = self.context.clone().attach();
            self.inner = None;
        }
    }
}

/// Ends the exchange when the stack unwinds through it. Catches nothing.
struct PanicMark<'a> {
    exchange: &'a mut Option<Exchange>,
    /// Unwinding had begun before: the panic is not one of the call.
    was_panicking: bool,
}

impl<'a> PanicMark<'a> {
    fn new(exchange: &'a mut Option<Exchange>) -> Self {
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
