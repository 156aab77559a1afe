//! Real OpenTelemetry clients.

use std::sync::{Arc, Mutex};

use azmon_portal::Portal;
use azmon_portal::testing::TestPortal;
use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter as _};

async fn portal() -> TestPortal {
    let any = "127.0.0.1:0".parse().unwrap();
    TestPortal::of(
        Portal::builder()
            .otlp_grpc(any)
            .otlp_http(any)
            .bind(any)
            .await,
    )
}

/// Collects spans, so that the exporter under test is awaited by the test itself.
#[derive(Debug, Clone, Default)]
struct Collected(Arc<Mutex<Vec<SpanData>>>);

impl opentelemetry_sdk::trace::SpanExporter for Collected {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

/// Sends a request with a failed call and an event, from a service of this name.
async fn send(mut exporter: SpanExporter, service: &'static str) {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service),
            KeyValue::new("service.instance.id", "i-1"),
        ])
        .build();
    exporter.set_resource(&resource);
    let collected = Collected::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(collected.clone())
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("test");
    let request = tracer
        .span_builder("GET /orders/{id}")
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.route", "/orders/{id}"),
            KeyValue::new("http.response.status_code", 500),
            KeyValue::new("url.path", "/orders/7"),
            KeyValue::new("colour", "green"),
        ])
        .start(&tracer);
    let context = Context::new().with_span(request);
    let mut call = tracer
        .span_builder("SELECT orders")
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("server.address", "shop-db"),
        ])
        .start_with_context(&tracer, &context);
    call.set_status(Status::error("timeout"));
    call.end();
    context.span().end();
    drop(context);
    let spans = std::mem::take(&mut *collected.0.lock().unwrap());
    assert_eq!(spans.len(), 2);
    exporter.export(spans).await.unwrap();
}

async fn arrived(portal: &TestPortal, service: &str) {
    let request = portal.requests().of_role(service).one().await;
    assert_eq!(
        (request.name().as_ref(), request.result_code()),
        ("GET /orders/{id}", Some("500"))
    );
    assert_eq!(request.property("colour"), Some("green"));
    let call = portal.dependencies().of_role(service).failed().one().await;
    assert_eq!(call.operation_id(), request.operation_id());
    assert!(
        call.json().contains("\"service.instance.id\":\"i-1\""),
        "the resource is kept"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_arrive_over_grpc() {
    let portal = portal().await;
    let endpoint = portal.portal().otlp_endpoint("otlpGrpc").unwrap();
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .unwrap();
    send(exporter, "over-grpc").await;
    arrived(&portal, "over-grpc").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_arrive_over_http_as_protobuf_and_as_json() {
    let portal = portal().await;
    for (protocol, service) in [
        (Protocol::HttpBinary, "over-protobuf"),
        (Protocol::HttpJson, "over-json"),
    ] {
        let endpoint = format!(
            "{}/v1/traces",
            portal.portal().otlp_endpoint("otlpHttp").unwrap()
        );
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(reqwest::Client::builder().no_proxy().build().unwrap())
            .with_protocol(protocol)
            .with_endpoint(endpoint)
            .build()
            .unwrap();
        send(exporter, service).await;
        arrived(&portal, service).await;
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_left_out_and_said() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let portal = Portal::builder()
        .otlp_grpc(taken)
        .otlp_http(any)
        .bind(any)
        .await
        .unwrap();
    let closed: Vec<_> = portal.closed_endpoints().collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].0, "otlpGrpc");
    assert!(closed[0].1.contains(&taken.to_string()), "{closed:?}");
    assert!(
        portal.otlp_endpoint("otlpGrpc").is_none() && portal.otlp_endpoint("otlpHttp").is_some()
    );
}
