use std::collections::BTreeMap;

use axum::Router;
use axum::routing::{get, post};

use crate::fixture::{self, TestTelemetry, send, serve};

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

async fn serve_shop(telemetry: &TestTelemetry) -> std::net::SocketAddr {
    let router = Router::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .route("/upload", post(|body: String| async move { body }))
        .route("/broken", get(|| async { http::StatusCode::BAD_GATEWAY }))
        .layer(telemetry.server());
    serve(router).await
}

#[tokio::test]
async fn durations_have_the_standard_buckets_and_few_labels() {
    let telemetry = TestTelemetry::new();
    let address = serve_shop(&telemetry).await;
    for id in 0..3 {
        fixture::get(
            address,
            &format!("/users/{id}?x={id}"),
            &[&format!("user-agent: {id}")],
        )
        .await;
    }
    telemetry.spans(3).await;
    let points = telemetry.points("http.server.request.duration");
    assert_eq!(points.len(), 1, "{points:?}");
    assert_eq!((points[0].count, points[0].unit.as_str()), (3, "s"));
    assert!(points[0].sum > 0.0 && points[0].sum < 20.0);
    assert_eq!(
        points[0].bounds,
        [
            0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0
        ]
    );
    assert_eq!(
        points[0].attributes,
        labels(&[
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("http.route", "/users/{id}"),
            ("network.protocol.version", "1.1"),
            ("url.scheme", "http"),
        ])
    );
}

#[tokio::test]
async fn errors_have_their_type() {
    let telemetry = TestTelemetry::new();
    let address = serve_shop(&telemetry).await;
    fixture::get(address, "/broken", &[]).await;
    telemetry.span().await;
    let points = telemetry.points("http.server.request.duration");
    assert_eq!(points[0].attributes["error.type"], "502");
}

#[tokio::test]
async fn what_callers_make_up_is_no_label() {
    let telemetry = TestTelemetry::new();
    let address = serve_shop(&telemetry).await;
    for number in 0..5 {
        let request =
            format!("METHOD{number} /{number} HTTP/1.1\nhost: h{number}\nconnection: close\n\n");
        send(address, &request).await;
    }
    telemetry.spans(5).await;
    let points = telemetry.points("http.server.request.duration");
    assert_eq!(points.len(), 1, "{points:?}");
    assert_eq!(points[0].attributes["http.request.method"], "_OTHER");
}

#[tokio::test]
async fn active_requests_come_and_go() {
    let telemetry = TestTelemetry::new();
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let held = gate.clone();
    let router = Router::new()
        .route("/slow", get(move || async move { held.notified().await }))
        .layer(telemetry.server());
    let address = serve(router).await;
    let request = tokio::spawn(async move { fixture::get(address, "/slow", &[]).await });
    let active = || telemetry.points("http.server.active_requests");
    fixture::until(|| active().iter().any(|point| point.sum == 1.0)).await;
    assert_eq!(
        active()[0].attributes,
        labels(&[("http.request.method", "GET"), ("url.scheme", "http")])
    );
    assert_eq!(active()[0].unit, "{request}");
    gate.notify_one();
    request.await.unwrap();
    telemetry.idle("http.server.active_requests").await;
}

#[tokio::test]
async fn bodies_have_their_sizes() {
    let telemetry = TestTelemetry::new();
    let address = serve_shop(&telemetry).await;
    send(
        address,
        "POST /upload HTTP/1.1\nhost: h\ncontent-length: 5\nconnection: close\n\nhello",
    )
    .await;
    telemetry.span().await;
    for instrument in [
        "http.server.request.body.size",
        "http.server.response.body.size",
    ] {
        let points = telemetry.points(instrument);
        assert_eq!(
            (points[0].count, points[0].sum, points[0].unit.as_str()),
            (1, 5.0, "By")
        );
        assert_eq!(points[0].attributes["http.route"], "/upload");
    }
}

#[tokio::test]
async fn metrics_have_a_switch_of_their_own() {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/", get(|| async {}))
        .layer(telemetry.server().metrics(false));
    let address = serve(router).await;
    fixture::get(address, "/", &[]).await;
    telemetry.span().await;
    assert!(telemetry.points("http.server.request.duration").is_empty());
    assert!(telemetry.points("http.server.active_requests").is_empty());
}
