use std::task::{self, Poll};

use azmon_instrument::http::ResendCount;
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// Numbers the attempts of a request for a [`ClientLayer`](super::ClientLayer) inside this layer.
///
/// Place it outside the layer that repeats requests (tower's `Retry`, tower-http's `FollowRedirect`), and the
/// `ClientLayer` inside that layer. The repeating layer must keep the extensions of the request.
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

/// Gives each request a [`ResendCount`], unless it has one already. A [`ResendLayer`] makes it.
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
