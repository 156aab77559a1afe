use std::task::{self, Poll};

use azmon_instrument::http::ResendCount;
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// Lets a [`ClientLayer`](super::ClientLayer) inside know which attempt of a request it sees.
///
/// It stands outside of what repeats requests (tower's `Retry`, tower-http's `FollowRedirect`), and the
/// `ClientLayer` inside of it. What repeats a request must keep its extensions.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct ResendLayer;

impl ResendLayer {
    /// Makes the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for ResendLayer {
    type Service = ResendTrace<S>;

    fn layer(&self, inner: S) -> ResendTrace<S> {
        ResendTrace { inner }
    }
}

/// Gives each request a [`ResendCount`], unless it has one. Made by a [`ResendLayer`].
#[derive(Debug, Clone)]
pub struct ResendTrace<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for ResendTrace<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request
            .extensions_mut()
            .get_or_insert_default::<ResendCount>();
        self.inner.call(request)
    }
}
