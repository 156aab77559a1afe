//! The effect of the order with other layers.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use opentelemetry::trace::TracerProvider;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing_subscriber::layer::SubscriberExt;

use crate::fixture::{self, TestTelemetry, is_error, named, number, serve, text};

#[tokio::test]
async fn a_trace_layer_inside_makes_a_child() {
    let telemetry = TestTelemetry::new();
    let tracer = telemetry.tracers.tracer("tracing");
    let subscriber =
        tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
    let layers = ServiceBuilder::new().layer(telemetry.server()).layer(
        TraceLayer::new_for_http()
            .make_span_with(|_: &http::Request<_>| tracing::info_span!("inner")),
    );
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(layers);
    let request = http::Request::new(axum::body::Body::empty());
    let exchange = async {
        let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
        http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap();
    };
    tracing::instrument::WithSubscriber::with_subscriber(exchange, subscriber).await;
    let spans = telemetry.spans(2).await;
    let request = named(&spans, "GET /");
    assert_eq!(
        named(&spans, "inner").parent_span_id,
        request.span_context.span_id()
    );
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_millis(1))
}

#[tokio::test]
async fn a_timeout_inside_is_a_response() {
    let telemetry = TestTelemetry::new();
    let layers = ServiceBuilder::new()
        .layer(telemetry.server())
        .layer(timeout());
    let router = Router::new()
        .route("/", get(std::future::pending::<()>))
        .layer(layers);
    let address = serve(router).await;
    fixture::get(address, "/", &[]).await;
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.status_code"), Some(504));
    assert!(is_error(&span));
}

#[tokio::test]
async fn a_timeout_outside_cancels() {
    let telemetry = TestTelemetry::new();
    let layers = ServiceBuilder::new()
        .layer(timeout())
        .layer(telemetry.server());
    let router = Router::new()
        .route("/", get(std::future::pending::<()>))
        .layer(layers);
    let address = serve(router).await;
    let response = fixture::get(address, "/", &[]).await;
    assert!(response.starts_with("HTTP/1.1 504"));
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.status_code"), None);
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "before_headers");
    assert!(!is_error(&span));
}

const LONG: usize = 100_000;

#[tokio::test]
async fn compression_inside_counts_the_bytes_that_are_sent() {
    let telemetry = TestTelemetry::new();
    let layers = ServiceBuilder::new()
        .layer(telemetry.server())
        .layer(CompressionLayer::new());
    let router = Router::new()
        .route("/", get(|| async { "x".repeat(LONG) }))
        .layer(layers);
    let span = compressed(&telemetry, router).await;
    assert!(number(&span, "http.response.body.size").unwrap() < LONG as i64 / 10);
}

#[tokio::test]
async fn compression_outside_counts_the_bytes_that_the_handler_made() {
    let telemetry = TestTelemetry::new();
    let layers = ServiceBuilder::new()
        .layer(CompressionLayer::new())
        .layer(telemetry.server());
    let router = Router::new()
        .route("/", get(|| async { "x".repeat(LONG) }))
        .layer(layers);
    let span = compressed(&telemetry, router).await;
    assert_eq!(number(&span, "http.response.body.size"), Some(LONG as i64));
}

async fn compressed(
    telemetry: &TestTelemetry,
    router: Router,
) -> opentelemetry_sdk::trace::SpanData {
    let address = serve(router).await;
    let request = "GET / HTTP/1.1\nhost: h\naccept-encoding: gzip\nconnection: close\n\n";
    let mut stream = fixture::open(address, request).await;
    let mut response = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut response)
        .await
        .unwrap();
    let head = String::from_utf8_lossy(&response[..200.min(response.len())]).into_owned();
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let span = telemetry.span().await;
    assert_eq!(fixture::attribute(&span, "azmon.cancelled"), None);
    span
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

#[tokio::test]
async fn a_panic_that_is_caught_inside_is_a_response() {
    let telemetry = TestTelemetry::new();
    let layers = ServiceBuilder::new()
        .layer(telemetry.server())
        .layer(CatchPanicLayer::new());
    let address = serve(Router::new().route("/", get(panics)).layer(layers)).await;
    fixture::get(address, "/", &[]).await;
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.status_code"), Some(500));
    assert_eq!(text(&span, "error.type").unwrap(), "500");
}

#[tokio::test]
async fn a_panic_that_is_caught_outside_is_a_panic() {
    let telemetry = TestTelemetry::new();
    let layers = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(telemetry.server());
    let address = serve(Router::new().route("/", get(panics)).layer(layers)).await;
    let response = fixture::get(address, "/", &[]).await;
    assert!(response.starts_with("HTTP/1.1 500"));
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "panic");
    assert!(is_error(&span));
    telemetry.idle("http.server.active_requests").await;
}

#[tokio::test]
async fn a_panic_that_nobody_catches_is_a_panic() {
    let telemetry = TestTelemetry::new();
    let address = serve(
        Router::new()
            .route("/", get(panics))
            .layer(telemetry.server()),
    )
    .await;
    fixture::get(address, "/", &[]).await;
    assert_eq!(
        text(&telemetry.span().await, "error.type").unwrap(),
        "panic"
    );
}
