use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::Result;

/// The slot in which a generator puts an item for its stream.
pub(super) struct Place<T>(Arc<Mutex<Option<T>>>);

impl<T> Place<T> {
    /// Puts `item` into the slot, and continues when the stream is polled again.
    pub(super) async fn give(&self, item: T) {
        let mut item = Some(item);
        poll_fn(|_| match item.take() {
            // No waker is needed: the stream returns the item, and its next poll polls this future.
            Some(item) => {
                self.put(item);
                Poll::Pending
            }
            None => Poll::Ready(()),
        })
        .await;
    }

    fn put(&self, item: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(item);
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The stream of a future's items. The future can own the connection and the rows that it borrows from.
struct Generator<'e, T> {
    future: Option<BoxFuture<'e, Result<()>>>,
    place: Place<T>,
}

pub(super) fn generate<'e, T, F>(make: impl FnOnce(Place<T>) -> F) -> BoxStream<'e, Result<T>>
where
    T: Send + 'e,
    F: Future<Output = Result<()>> + Send + 'e,
{
    let place = Arc::default();
    let future = make(Place(Arc::clone(&place)));
    Box::pin(Generator {
        future: Some(Box::pin(future)),
        place: Place(place),
    })
}

impl<T> Unpin for Generator<'_, T> {}

impl<T> Stream for Generator<'_, T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(future) = &mut self.future else {
            return Poll::Ready(None);
        };
        let polled = future.as_mut().poll(context);
        if let Poll::Ready(result) = polled {
            self.future = None;
            return Poll::Ready(result.err().map(Err));
        }
        match self.place.take() {
            Some(item) => Poll::Ready(Some(Ok(item))),
            None => Poll::Pending,
        }
    }
}
