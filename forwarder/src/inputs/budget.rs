//! The budget of bytes in flight. Every frame of every body takes from the budget, and returns its bytes when its
//! message has been handled.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::Request;
use http_body::{Body, Frame, SizeHint};
use tower_layer::Layer;
use tower_service::Service;

use crate::sink::Refusal;

/// The delay after which a refused client may retry.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A limit on the bytes of messages in flight. Clones share the limit.
#[derive(Debug, Clone)]
pub struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit: usize,
    taken: AtomicUsize,
}

impl Budget {
    /// Makes a budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                limit,
                taken: AtomicUsize::new(0),
            }),
        }
    }

    /// The number of bytes in flight.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::Relaxed)
    }

    pub(crate) fn hold(&self) -> Held {
        Held {
            inner: Arc::new(HeldInner {
                shared: self.shared.clone(),
                bytes: AtomicUsize::new(0),
            }),
        }
    }
}

/// The bytes that one request, or one message of a stream, has taken. The last clone returns them on drop.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    inner: Arc<HeldInner>,
}

#[derive(Debug)]
struct HeldInner {
    shared: Arc<Shared>,
    bytes: AtomicUsize,
}

impl Held {
    /// Takes `bytes` more, if they are available.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Refusal> {
        let Shared { limit, taken } = &*self.inner.shared;
        let before = taken.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > *limit {
            taken.fetch_sub(bytes, Ordering::Relaxed);
            return Err(Refusal::Busy {
                retry_after: RETRY_AFTER,
            });
        }
        self.inner.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Returns all bytes taken so far, after a message of a stream has been handled.
    pub(crate) fn release(&self) {
        let bytes = self.inner.bytes.swap(0, Ordering::Relaxed);
        self.inner.shared.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for HeldInner {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        self.shared.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Lets the bodies of gRPC requests take from a budget. Handlers find their bytes, a [`Held`], in the request's
/// extensions.
#[derive(Debug, Clone)]
pub(crate) struct BudgetLayer {
    budget: Budget,
}

impl BudgetLayer {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget }
    }
}

impl<S> Layer<S> for BudgetLayer {
    type Service = BudgetService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BudgetService {
            inner,
            budget: self.budget.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct BudgetService<S> {
    inner: S,
    budget: Budget,
}

impl<S> Service<Request<tonic::body::Body>> for BudgetService<S>
where
    S: Service<Request<tonic::body::Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<tonic::body::Body>) -> Self::Future {
        let held = self.budget.hold();
        request.extensions_mut().insert(held.clone());
        let request = request.map(|body| tonic::body::Body::new(Budgeted { body, held }));
        self.inner.call(request)
    }
}

/// A body whose frames take from a budget.
struct Budgeted {
    body: tonic::body::Body,
    held: Held,
}

impl Body for Budgeted {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && let Err(refusal) = self.held.take(data.remaining())
        {
            return Poll::Ready(Some(Err(crate::inputs::status::status(&refusal))));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_refuses_bytes_beyond_it_until_there_is_room() {
        let budget = Budget::new(10);
        let (first, second) = (budget.hold(), budget.hold());
        assert!(first.take(6).is_ok());
        assert!(second.take(5).is_err());
        assert!(second.take(4).is_ok());
        first.release();
        assert_eq!(budget.taken(), 4);
        assert!(first.take(6).is_ok());
        drop((first, second));
        assert_eq!(budget.taken(), 0);
    }
}
