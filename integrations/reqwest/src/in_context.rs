use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use std::thread;

use azmon_instrument::http::{Ending, Exchange};
use opentelemetry::ContextGuard;

/// Makes, polls and drops a future in a context, and ends the exchange if it panics.
pub(crate) struct InContext<'a, M, F> {
    // Optional so that they can be dropped in the context.
    make: Option<M>,
    inner: Option<F>,
    exchange: &'a mut Option<Exchange>,
}

impl<'a, M: FnOnce() -> Option<F>, F> InContext<'a, M, F> {
    /// A future that is made when it is first polled.
    pub(crate) fn new(exchange: &'a mut Option<Exchange>, make: M) -> Self {
        Self {
            make: Some(make),
            inner: None,
            exchange,
        }
    }
}

impl<M: FnOnce() -> Option<F> + Unpin, F: Future + Unpin> Future for InContext<'_, M, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _attached = attach(this.exchange);
        let _mark = PanicMark::new(this.exchange);
        if let Some(make) = this.make.take() {
            this.inner = make();
        }
        let Some(inner) = &mut this.inner else {
            return Poll::Pending;
        };
        let output = Pin::new(inner).poll(cx);
        if output.is_ready() {
            this.inner = None;
        }
        output
    }
}

impl<M, F> Drop for InContext<'_, M, F> {
    fn drop(&mut self) {
        if self.make.is_some() || self.inner.is_some() {
            let _attached = attach(self.exchange);
            self.make = None;
            self.inner = None;
        }
    }
}

fn attach(exchange: &Option<Exchange>) -> Option<ContextGuard> {
    let exchange = exchange.as_ref()?;
    Some(exchange.context().clone().attach())
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
            && let Some(exchange) = &mut self.exchange
        {
            exchange.end_in_place(Ending::Panicked);
        }
    }
}
