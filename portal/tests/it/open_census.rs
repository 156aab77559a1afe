//! OpenCensus, and OTLP on the same port.

use azmon_forwarder::proto::opencensus::proto::agent::common::v1::{Node, ServiceInfo};
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::ExportTraceServiceRequest;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::trace_service_client::TraceServiceClient;
use azmon_forwarder::proto::opencensus::proto::trace::v1::span::SpanKind;
use azmon_forwarder::proto::opencensus::proto::trace::v1::{Span, TruncatableString};
use azmon_portal::Portal;
use azmon_portal::testing::TestPortal;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

async fn portal() -> TestPortal {
    let any = "127.0.0.1:0".parse().unwrap();
    TestPortal::of(Portal::builder().open_census(any).bind(any).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_of_opencensus_are_kept_with_their_role() {
    let portal = portal().await;
    let endpoint = portal
        .portal()
        .otlp_endpoint("openCensus")
        .unwrap()
        .to_owned();
    let channel = tonic::transport::Channel::from_shared(endpoint)
        .unwrap()
        .connect()
        .await
        .unwrap();
    let name = TruncatableString {
        value: "checkout".to_owned(),
        truncated_byte_count: 0,
    };
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: Some(name),
        kind: SpanKind::Server as i32,
        ..Span::default()
    };
    let node = Node {
        service_info: Some(ServiceInfo {
            name: "old-shop".to_owned(),
        }),
        ..Node::default()
    };
    let message = ExportTraceServiceRequest {
        node: Some(node),
        spans: vec![span],
        resource: None,
    };
    let mut client = TraceServiceClient::new(channel);
    let answers = client.export(tokio_stream::iter([message])).await.unwrap();
    assert!(answers.into_inner().message().await.unwrap().is_none());
    let request = portal.requests().of_role("old-shop").one().await;
    assert_eq!(request.name().as_ref(), "checkout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_speaks_otlp_finds_it_at_the_address_of_opencensus() {
    let portal = portal().await;
    let endpoint = portal.portal().otlp_endpoint("openCensus").unwrap();
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .unwrap();
    let resource = Resource::builder_empty()
        .with_service_name("prompt")
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    provider.tracer("test").in_span("test", |_| ());
    tokio::task::spawn_blocking(move || provider.shutdown())
        .await
        .unwrap()
        .unwrap();
    let span = portal.dependencies().of_role("prompt").one().await;
    assert_eq!(span.name().as_ref(), "test");
}
