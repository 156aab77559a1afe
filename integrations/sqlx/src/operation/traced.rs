use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use opentelemetry::ContextGuard;
use pin_project_lite::pin_project;
use sqlx_core::Result;

use super::{Observe, Operation};

pin_project! {
    /// A future or stream of the driver, with its operation, if it is recorded.
    pub(crate) struct Traced<'s, F, T> {
        #[pin]
        inner: Option<F>,
        operation: Option<Operation<'s>>,
        observe: Observe<T>,
    }

    impl<F, T> PinnedDrop for Traced<'_, F, T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            {
                // The driver may log while its future is dropped.
                let _guard = enter(this.operation.as_ref());
                this.inner.set(None);
            }
            if let Some(operation) = this.operation.take() {
                operation.end_dropped();
            }
        }
    }
}

impl<'s, F, T> Traced<'s, F, T> {
    /// Runs `inner` as `operation`. `observe` updates the operation with every item.
    pub(crate) fn new(operation: Option<Operation<'s>>, observe: Observe<T>, inner: F) -> Self {
        Self {
            inner: Some(inner),
            operation,
            observe,
        }
    }

    /// Notes an item. The first error ends the operation.
    fn note(operation: &mut Option<Operation<'s>>, observe: Observe<T>, item: &Result<T>) {
        match (item, operation.as_mut()) {
            (Ok(item), Some(operation)) => observe(operation, item),
            (Err(_), Some(_)) => Self::end(operation, item),
            (_, None) => {}
        }
    }

    fn end<R>(operation: &mut Option<Operation<'s>>, result: &Result<R>) {
        if let Some(operation) = operation.take() {
            operation.end(result);
        }
    }
}

impl<F: Future<Output = Result<T>>, T> Future for Traced<'_, F, T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let result = {
            let _guard = enter(this.operation.as_ref());
            let result = ready!(inner.poll(context));
            this.inner.set(None);
            result
        };
        Self::note(this.operation, *this.observe, &result);
        Self::end(this.operation, &result);
        Poll::Ready(result)
    }
}

impl<F: Stream<Item = Result<T>>, T> Traced<'_, F, T> {
    /// Polls the stream to its end, and passes every item to `each`.
    ///
    /// This costs less than polling for each item, since all ready items share one entry of the context.
    pub(crate) fn poll_each(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut each: impl FnMut(T),
    ) -> Poll<Result<()>> {
        let mut this = self.project();
        let result = {
            let _guard = enter(this.operation.as_ref());
            loop {
                let Some(inner) = this.inner.as_mut().as_pin_mut() else {
                    break Ok(());
                };
                match ready!(inner.poll_next(context)).transpose() {
                    Ok(Some(item)) => {
                        if let Some(operation) = this.operation {
                            (this.observe)(operation, &item);
                        }
                        each(item);
                    }
                    Ok(None) => this.inner.set(None),
                    Err(error) => break Err(error),
                }
            }
        };
        Self::end(this.operation, &result);
        Poll::Ready(result)
    }
}

impl<F: Stream<Item = Result<T>>, T> Stream for Traced<'_, F, T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let item = {
            let _guard = enter(this.operation.as_ref());
            let item = ready!(inner.poll_next(context));
            if item.is_none() {
                this.inner.set(None);
            }
            item
        };
        match &item {
            Some(item) => Self::note(this.operation, *this.observe, item),
            None => Self::end(this.operation, &Ok(())),
        }
        Poll::Ready(item)
    }
}

fn enter(operation: Option<&Operation<'_>>) -> Option<ContextGuard> {
    operation.and_then(Operation::enter)
}
