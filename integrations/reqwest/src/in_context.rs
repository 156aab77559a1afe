use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

use azmon_instrument::http::Scope;

/// Makes, polls and drops a future in the context of a scope.
pub(crate) struct InContext<'a, M, F> {
    // Optional so that they can be dropped in the context.
    make: Option<M>,
    inner: Option<F>,
    scope: &'a mut Scope,
}

impl<'a, M: FnOnce() -> Option<F>, F> InContext<'a, M, F> {
    /// Wraps a future that `make` makes at the first poll.
    pub(crate) fn new(scope: &'a mut Scope, make: M) -> Self {
        Self {
            make: Some(make),
            inner: None,
            scope,
        }
    }
}

impl<M: FnOnce() -> Option<F> + Unpin, F: Future + Unpin> Future for InContext<'_, M, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _entered = this.scope.enter();
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
            let _entered = self.scope.enter();
            self.make = None;
            self.inner = None;
        }
    }
}
