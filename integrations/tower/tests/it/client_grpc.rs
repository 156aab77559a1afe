//! tonic's channels.

use opentelemetry::trace::SpanKind;
use tonic_health::pb::health_client::HealthClient;
use tower::Layer;

use crate::fixture::{TestTelemetry, is_error, number, text};
use crate::grpc::{asking, channel, serve};

#[tokio::test]
async fn a_call_is_the_parent_of_what_the_server_does() {
    let server = TestTelemetry::new();
    let address = serve(&server).await;
    let client = TestTelemetry::new();
    let layer = client
        .client()
        .base_url(format!("http://{address}").parse().unwrap());
    let mut health = HealthClient::new(layer.layer(channel(address).await));
    health.check(asking("")).await.unwrap();
    let (asked, answered) = (client.span().await, server.span().await);
    assert_eq!(asked.name, "grpc.health.v1.Health/Check");
    assert_eq!(asked.span_kind, SpanKind::Client);
    assert_eq!(answered.parent_span_id, asked.span_context.span_id());
    assert_eq!(text(&asked, "rpc.response.status_code").unwrap(), "OK");
    assert_eq!(text(&asked, "server.address").unwrap(), "127.0.0.1");
    assert_eq!(
        number(&asked, "server.port"),
        Some(i64::from(address.port()))
    );
    assert_eq!(
        text(&asked, "url.full").unwrap(),
        format!("http://{address}/grpc.health.v1.Health/Check")
    );
    assert!(!is_error(&asked));
}

#[tokio::test]
async fn every_status_but_ok_is_an_error_of_a_client() {
    let server = TestTelemetry::new();
    let address = serve(&server).await;
    let client = TestTelemetry::new();
    let mut health = HealthClient::new(client.client().layer(channel(address).await));
    health.check(asking("5")).await.unwrap_err();
    let span = client.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "NOT_FOUND");
    assert!(is_error(&span));
    assert!(!is_error(&server.span().await));
}

#[tokio::test]
async fn a_stream_lasts_until_its_status() {
    let server = TestTelemetry::new();
    let address = serve(&server).await;
    let client = TestTelemetry::new();
    let mut health = HealthClient::new(client.client().layer(channel(address).await));
    let mut messages = health.watch(asking("14")).await.unwrap().into_inner();
    messages.message().await.unwrap().unwrap();
    messages.message().await.unwrap_err();
    let span = client.span().await;
    assert_eq!(
        text(&span, "rpc.response.status_code").unwrap(),
        "UNAVAILABLE"
    );
    assert!(is_error(&span));
}
