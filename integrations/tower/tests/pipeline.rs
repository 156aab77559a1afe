//! The server layer with azmon's own pipeline, which starts spans without the SDK where it is installed
//! globally: in a process of its own, and as one test, since what is global is.
#![cfg(test)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{self, Poll};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::{Route, any, get};
use azmon::Telemetry;
use azmon::envelope::Data;
use azmon::testing::InMemoryDestination;
use azmon_tower::{ServerLayer, SpanEnd};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt, Tracer};
use regex_lite::Regex;
use tower::{Layer, Service, ServiceExt};

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[derive(Debug, Clone)]
struct Nothing;

#[derive(Debug, Clone)]
struct Does<S>(S);

impl<S> Layer<S> for Nothing {
    type Service = Does<S>;

    fn layer(&self, inner: S) -> Does<S> {
        Does(inner)
    }
}

impl<S: Service<R>, R> Service<R> for Does<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

fn layer() -> ServerLayer {
    ServerLayer::with_environment(|_| None)
}

fn router<L>(layer: L) -> Router
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request<Body>>>::Future: Send + 'static,
{
    async fn work() -> &'static str {
        // A child by the global tracer of the SDK, and an attribute from the handler.
        global::tracer("handler").in_span("work", |_| ());
        let context = Context::current();
        context
            .span()
            .set_attribute(KeyValue::new("by the handler", true));
        "worked"
    }
    Router::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .route("/work/{id}", any(work))
        .route("/fail", any(|| async { StatusCode::BAD_GATEWAY }))
        .layer(layer)
        .with_state(())
}

/// As a browser sends it.
fn request(uri: &str) -> http::request::Builder {
    let peer: SocketAddr = "[2001:db8::7]:4711".parse().unwrap();
    Request::get(uri)
        .header("host", "shop.example.com:8080")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        )
        .header("accept-language", "en-US,en;q=0.5")
        .extension(ConnectInfo(peer))
}

/// Requests of all sorts.
fn requests() -> Vec<Request<Body>> {
    let long = "x".repeat(5_000);
    let builders = [
        request("/users/7"),
        request("/users/7?q=1&token=secret&name=%C3%BC"),
        request(&format!("/users/{long}")),
        request("/users/8").header("traceparent", SAMPLED),
        request("/users/8")
            .header("traceparent", NOT_SAMPLED)
            .header("tracestate", "a=1"),
        request("/users/9").header("baggage", "k=v"),
        request("/users/9").header("content-length", "17"),
        request("/work/1").method("POST"),
        request("/work/1").method("PURGE"),
        request("/fail"),
        request("/nowhere?x"),
        request("/work/rpc").header("content-type", "application/grpc"),
        Request::get("/users/1")
            .header("user-agent", HeaderValue::from_bytes(b"\xff\xfe").unwrap()),
        Request::get("/users/1")
            .header("user-agent", "ü")
            .header("host", "[::1]:80"),
        Request::get("http://other.example/users/1").version(http::Version::HTTP_2),
        Request::get("/"),
    ];
    let empty = |builder: http::request::Builder| builder.body(Body::empty()).unwrap();
    builders.map(empty).into()
}

async fn exchange(router: Router, request: Request<Body>) {
    let response = router
        .oneshot(request)
        .await
        .unwrap_or_else(|never: Infallible| match never {});
    let mut body = response.into_body();
    while body.frame().await.is_some() {}
}

/// Nothing in such an exchange waits.
fn run(exchange: impl Future<Output = ()>) {
    let mut cx = task::Context::from_waker(task::Waker::noop());
    let mut exchange = std::pin::pin!(exchange);
    assert!(Pin::as_mut(&mut exchange).poll(&mut cx).is_ready());
}

/// The spans that arrive of the requests, without ids and times.
fn sent(telemetry: &Telemetry, destination: &InMemoryDestination, router: &Router) -> Vec<String> {
    let chance =
        Regex::new(r#""time":"[^"]*"|"duration":"[^"]*"|\b([0-9a-f]{32}|[0-9a-f]{16})\b"#).unwrap();
    destination.clear();
    for request in requests() {
        run(exchange(router.clone(), request));
        telemetry.force_flush().unwrap();
    }
    let envelopes = destination.envelopes().into_iter();
    let spans = envelopes.filter(|envelope| !matches!(envelope.data, Data::Metric(_)));
    let texts = spans.map(|envelope| serde_json::to_string(&envelope).unwrap());
    texts
        .map(|text| chance.replace_all(&text, "?").into_owned())
        .collect()
}

/// Allocations of one exchange, more than behind a layer that does nothing.
fn surplus<E>(layer: ServerLayer<E>, traceparent: Option<&str>) -> u64
where
    E: SpanEnd<Body, Body: HttpBody<Data = bytes::Bytes, Error: Into<axum::BoxError>> + Send>
        + Send
        + Sync
        + Clone
        + 'static,
{
    let count = |router: Router| {
        let one = || {
            let mut request = request("/users/7");
            if let Some(traceparent) = traceparent {
                request = request.header("traceparent", traceparent);
            }
            exchange(router.clone(), request.body(Body::empty()).unwrap())
        };
        (0..10).for_each(|_| run(one()));
        // The queue takes memory for several items at once.
        let rounds = (0..64).map(|_| {
            let one = one();
            allocation_counter::measure(|| run(one)).count_total
        });
        rounds.min().unwrap_or_default()
    };
    count(router(layer)) - count(router(Nothing))
}

fn telemetry(
    configure: impl Fn(azmon::TelemetryBuilder) -> azmon::TelemetryBuilder,
) -> (Telemetry, InMemoryDestination) {
    let destination = InMemoryDestination::new();
    let builder = Telemetry::builder()
        .destination(&destination)
        .panic_hook(false);
    (configure(builder).build().unwrap(), destination)
}

#[test]
fn the_pipeline_gets_the_same_as_from_the_sdk_and_requests_allocate_little() {
    let (all, destination) = telemetry(|builder| builder);
    let hooked = || {
        layer()
            .request_headers(["accept-language"])
            .on_request(|_, attributes| attributes.retain(|pair| pair.key.as_str() != "url.path"))
            .trust_remote_parent(false)
    };
    for layer in [layer, hooked] {
        let ours = sent(&all, &destination, &router(layer()));
        let by_sdk = layer().tracer_provider(all.tracer_provider());
        let by_sdk = sent(&all, &destination, &router(by_sdk));
        for (ours, by_sdk) in ours.iter().zip(&by_sdk) {
            assert_eq!(ours, by_sdk);
        }
        assert_eq!(ours.len(), by_sdk.len());
        // A request each, and the children of three.
        assert_eq!(ours.len(), requests().len() + 3);
    }
    for traceparent in [None, Some(SAMPLED), Some(NOT_SAMPLED)] {
        let traces = surplus(layer().metrics(false), traceparent);
        let both = surplus(layer(), traceparent);
        assert!(
            traces <= 8 && both <= 8,
            "{traces}, {both} for {traceparent:?}"
        );
    }
    drop(all);

    let (none, destination) = telemetry(|builder| builder.sampling_ratio(0.0));
    for traceparent in [None, Some(SAMPLED), Some(NOT_SAMPLED)] {
        let traces = surplus(layer().metrics(false), traceparent);
        let both = surplus(layer(), traceparent);
        assert!(
            traces <= 2 && both <= 3,
            "{traces}, {both} for {traceparent:?}"
        );
    }
    assert_eq!(sent(&none, &destination, &router(layer())), [""; 0]);
}
