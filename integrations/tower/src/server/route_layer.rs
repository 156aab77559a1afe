use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use axum::extract::MatchedPath;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// Tells a [`ServerLayer`](super::ServerLayer) *outside* of an axum router which route was matched.
///
/// A layer that is added with `Router::layer` sees it itself. One around the whole router cannot, unless
/// this one is added to it with `Router::layer` or `Router::route_layer`.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct RouteLayer;

impl RouteLayer {
    /// Makes the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for RouteLayer {
    type Service = RouteTrace<S>;

    fn layer(&self, inner: S) -> RouteTrace<S> {
        RouteTrace { inner }
    }
}

/// Puts the matched route into the extensions of responses. Made by a [`RouteLayer`].
#[derive(Debug, Clone)]
pub struct RouteTrace<S> {
    inner: S,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RouteTrace<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = RouteFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        RouteFuture {
            route: request.extensions().get().cloned(),
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The future of a [`RouteTrace`].
    #[derive(Debug)]
    pub struct RouteFuture<F> {
        route: Option<MatchedPath>,
        #[pin]
        inner: F,
    }
}

impl<F, B, E> Future for RouteFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = ready!(this.inner.poll(cx));
        if let (Ok(response), Some(route)) = (&mut result, this.route.take()) {
            response.extensions_mut().insert(route);
        }
        Poll::Ready(result)
    }
}
