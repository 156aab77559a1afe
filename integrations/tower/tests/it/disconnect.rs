//! Clients that disconnect, on real sockets.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

use crate::fixture::{TestTelemetry, is_error, number, open, serve, text, within};

#[tokio::test]
async fn before_the_headers() {
    let telemetry = TestTelemetry::new();
    let entered = Arc::new(Notify::new());
    let enter = entered.clone();
    let handler = move || async move {
        enter.notify_one();
        std::future::pending::<()>().await
    };
    let router = Router::new()
        .route("/slow", get(handler))
        .layer(telemetry.server());
    let address = serve(router).await;
    let stream = open(address, "GET /slow HTTP/1.1\nhost: h\n\n").await;
    within(entered.notified()).await;
    drop(stream);
    let span = telemetry.span().await;
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "before_headers");
    assert_eq!(number(&span, "http.response.status_code"), None);
    assert!(!is_error(&span));
    telemetry.idle("http.server.active_requests").await;
    assert_eq!(telemetry.points("http.server.request.duration")[0].count, 1);
}

#[tokio::test]
async fn in_the_middle_of_the_body() {
    let telemetry = TestTelemetry::new();
    let endless = || async {
        let chunk = Bytes::from_static(&[b'x'; 16_384]);
        Body::from_stream(stream::repeat(chunk).map(Ok::<_, Infallible>))
    };
    let router = Router::new()
        .route("/endless", get(endless))
        .layer(telemetry.server());
    let address = serve(router).await;
    let mut stream = open(address, "GET /endless HTTP/1.1\nhost: h\n\n").await;
    let mut part = [0; 4_096];
    within(stream.read_exact(&mut part)).await.unwrap();
    assert!(telemetry.ended().is_empty());
    drop(stream);
    let span = telemetry.span().await;
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "in_body");
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert!(!is_error(&span));
    telemetry.idle("http.server.active_requests").await;
}
