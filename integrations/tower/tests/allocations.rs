//! The allocations of the server layer, in a separate process, since the counting allocator counts all threads.
#![cfg(test)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task;

use axum::BoxError;
use axum::Router;
use axum::body::Body;
use axum::body::HttpBody;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::{Route, get};
use azmon_tower::{ResponseMode, ServerLayer};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tower::layer::util::Identity;
use tower::{Layer, Service, ServiceExt};

/// With its state, like `axum::serve`.
fn router<L>(layer: L) -> Router
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request<Body>>>::Future: Send + 'static,
{
    Router::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .layer(layer)
        .with_state(())
}

/// A request with a browser's headers, and optionally with a caller's `traceparent`.
fn request(traceparent: Option<&str>) -> Request<Body> {
    let peer: SocketAddr = "192.0.2.7:4711".parse().unwrap();
    let mut request = Request::get("/users/7")
        .header("host", "shop.example.com")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        )
        .header(
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        )
        .header("accept-language", "en-US,en;q=0.5")
        .header("accept-encoding", "gzip, deflate, br, zstd")
        .header("referer", "https://shop.example.com/")
        .header("dnt", "1")
        .header("connection", "keep-alive")
        .extension(ConnectInfo(peer));
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    request.body(Body::empty()).unwrap()
}

async fn exchange(router: Router, request: Request<Body>) {
    let response = router
        .oneshot(request)
        .await
        .unwrap_or_else(|never: Infallible| match never {});
    let mut body = response.into_body();
    while body.frame().await.is_some() {}
}

/// Allocations of one exchange, after a warm-up that fills caches.
fn count(router: &Router, traceparent: Option<&str>) -> u64 {
    for _ in 0..10 {
        run(exchange(router.clone(), request(traceparent)));
    }
    let exchange = exchange(router.clone(), request(traceparent));
    allocation_counter::measure(|| run(exchange)).count_total
}

/// Runs an exchange, in which nothing waits.
fn run(exchange: impl Future<Output = ()>) {
    let mut cx = task::Context::from_waker(task::Waker::noop());
    let mut exchange = std::pin::pin!(exchange);
    assert!(Pin::as_mut(&mut exchange).poll(&mut cx).is_ready());
}

/// Allocations minus those with a layer that does nothing: axum boxes every route again behind any layer.
fn surplus<E>(layer: ServerLayer<E>, traceparent: Option<&str>) -> u64
where
    E: ResponseMode<Body, Body: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send>
        + Send
        + Sync
        + Clone
        + 'static,
{
    count(&router(layer), traceparent) - count(&router(Identity::new()), traceparent)
}

fn layer() -> ServerLayer {
    ServerLayer::with_environment(|_| None)
}

fn tracers(sampler: Sampler) -> SdkTracerProvider {
    SdkTracerProvider::builder().with_sampler(sampler).build()
}

fn meters() -> SdkMeterProvider {
    SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(InMemoryMetricExporter::default()).build())
        .build()
}

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const PARENTS: [Option<&str>; 3] = [None, Some(SAMPLED), Some(NOT_SAMPLED)];

#[test]
fn an_excluded_request_allocates_for_its_context_alone() {
    for form in ["/users", "glob:/users/*", "regex:^/users/"] {
        let layer = layer()
            .exclude_paths([form])
            .tracer_provider(&tracers(Sampler::AlwaysOn))
            .meter_provider(&meters());
        for parent in PARENTS {
            let surplus = surplus(layer.clone().axum_body(), parent);
            assert!(surplus <= 5, "{surplus} for {form} {parent:?}");
        }
    }
}

#[test]
fn a_body_of_another_type_is_boxed_by_axum_once() {
    assert_eq!(surplus(layer(), None), 1);
    assert_eq!(surplus(layer().end_at_headers(), None), 0);
}

#[test]
fn without_a_provider_nothing_is_allocated() {
    for parent in PARENTS {
        assert_eq!(surplus(layer().axum_body(), parent), 0, "{parent:?}");
    }
}

#[test]
fn an_unsampled_request_allocates_five_times_at_most() {
    let by_parent = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
    for (sampler, parent) in [
        (Sampler::AlwaysOff, None),
        (by_parent.clone(), None),
        (by_parent, Some(NOT_SAMPLED)),
        (Sampler::AlwaysOff, Some(NOT_SAMPLED)),
    ] {
        let layer = layer()
            .tracer_provider(&tracers(sampler.clone()))
            .meter_provider(&meters());
        let surplus = surplus(layer, parent);
        // The last allocation is for the span that stands for the request: the caller's span, as a span of this
        // process.
        assert!(surplus <= 5, "{surplus} for {sampler:?} {parent:?}");
    }
}

#[test]
fn a_recorded_request_allocates_twelve_times_at_most() {
    for parent in [None, Some(SAMPLED)] {
        let layer = layer()
            .tracer_provider(&tracers(Sampler::AlwaysOn))
            .meter_provider(&meters());
        let surplus = surplus(layer, parent);
        assert!(surplus <= 12, "{surplus} for {parent:?}");
    }
}
