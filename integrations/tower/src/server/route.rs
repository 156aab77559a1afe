use std::borrow::Cow;

use azmon_instrument::RouteNames;
use azmon_instrument::http::Exchange;
use http::response;
use opentelemetry::StringValue;

use crate::future::OnHead;

#[cfg(feature = "axum")]
pub use self::layer::{RouteFuture, RouteLayer, RouteTrace};

/// The template of the path that a router matched, for example `/users/{id}`.
///
/// A router inserts it into the extensions of its *response*. A [`ServerLayer`](crate::ServerLayer) outside the
/// router reads it there, since the request is gone by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route(pub StringValue);

impl Route {
    /// Makes a route from a template.
    #[must_use]
    pub fn new(template: impl Into<StringValue>) -> Self {
        Self(template.into())
    }
}

/// Shared by all layers of the process.
static NAMES: RouteNames = RouteNames::new();

/// The name of a span, with its route if known.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) name: Cow<'static, str>,
    pub(super) route: Option<StringValue>,
}

impl Name {
    pub(super) fn of_route(method: &'static str, route: &str) -> Self {
        match NAMES.get(method, route) {
            Some(known) => Self {
                name: Cow::Borrowed(known.name),
                route: Some(known.route.into()),
            },
            None => Self {
                name: Cow::Owned(format!("{method} {route}")),
                route: Some(route.to_owned().into()),
            },
        }
    }

    pub(super) fn of_method(method: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(method),
            route: None,
        }
    }
}

/// Passes the route from an inner layer to the outer layer, which records the request.
#[derive(Debug)]
pub(super) struct InnerRoute(Option<Route>);

impl InnerRoute {
    pub(super) fn new(route: Option<Cow<'_, str>>) -> Self {
        Self(route.map(|route| Route::new(route.into_owned())))
    }
}

impl OnHead for InnerRoute {
    fn on_head(&self, _: Option<&mut Exchange>, head: &mut response::Parts) {
        if late_route(head).is_none()
            && let Some(route) = &self.0
        {
            head.extensions.insert(route.clone());
        }
    }
}

/// The route that an inner router put into the extensions of its response.
pub(super) fn late_route(head: &response::Parts) -> Option<&str> {
    match head.extensions.get() {
        Some(Route(route)) => Some(route.as_str()),
        None => matched_path(head),
    }
}

#[cfg(feature = "axum")]
fn matched_path(head: &response::Parts) -> Option<&str> {
    head.extensions
        .get::<axum::extract::MatchedPath>()
        .map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_path(_: &response::Parts) -> Option<&str> {
    None
}

#[cfg(feature = "axum")]
mod layer {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{self, Poll, ready};

    use axum::extract::MatchedPath;
    use http::{Request, Response};
    use pin_project_lite::pin_project;
    use tower_layer::Layer;
    use tower_service::Service;

    /// Passes the matched route to a [`ServerLayer`](crate::ServerLayer) *outside* an axum router.
    ///
    /// A `ServerLayer` added with `Router::layer` sees the route itself. A `ServerLayer` around the whole router
    /// needs this layer, added with `Router::layer` or `Router::route_layer`.
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

    /// Inserts the matched route into the extensions of responses. A [`RouteLayer`] makes it.
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
}
