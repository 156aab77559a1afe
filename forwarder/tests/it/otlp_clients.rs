//! OpenTelemetry's own exporters, over gRPC, HTTP with protobuf, and HTTP with JSON.

use std::sync::Arc;

use azmon::envelope::{Data, tags};
use azmon_forwarder::inputs::OtlpOptions;
use azmon_test_clients::otlp::{Exporters, Transport, export_metrics};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{
    Link, Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::support::{Kept, named, otlp_grpc, otlp_http, property, tag};

fn resource() -> Resource {
    Resource::builder()
        .with_service_name("shop")
        .with_attribute(KeyValue::new("service.namespace", "europe"))
        .with_attribute(KeyValue::new("service.instance.id", "shop-1"))
        .with_attribute(KeyValue::new("deployment.environment.name", "test"))
        .build()
}

async fn exporters(sink: &Arc<Kept>, transport: Transport) -> Exporters {
    let options = OtlpOptions::default().instrumentation_key("key");
    let address = match transport {
        Transport::Grpc => otlp_grpc(sink, options).await.0,
        Transport::HttpProtobuf | Transport::HttpJson => otlp_http(sink, options).await.0,
    };
    Exporters::new(transport, &format!("http://{address}"))
}

fn linked() -> SpanContext {
    SpanContext::new(
        TraceId::from(0xabc_u128),
        SpanId::from(0xdef_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}

/// Sends a request that calls a dependency and fails, with a log record.
fn send(exporters: Exporters) -> (TraceId, MetricExporter) {
    let Exporters {
        spans,
        logs,
        metrics,
    } = exporters;
    let tracers = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_simple_exporter(spans)
        .build();
    let loggers = SdkLoggerProvider::builder()
        .with_resource(resource())
        .with_simple_exporter(logs)
        .build();
    let tracer = tracers.tracer("web");
    let mut request = tracer
        .span_builder("GET /orders/{id}")
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.route", "/orders/{id}"),
            KeyValue::new("http.response.status_code", 503),
            KeyValue::new("shop.order", 7),
        ])
        .with_links(vec![Link::new(linked(), Vec::new(), 0)])
        .start(&tracer);
    request.add_event("looked up", vec![KeyValue::new("rows", 1)]);
    request.add_event(
        "exception",
        vec![
            KeyValue::new("exception.type", "Timeout"),
            KeyValue::new("exception.message", "too slow"),
        ],
    );
    request.set_status(Status::error("the stock does not answer"));
    let trace = request.span_context().trace_id();
    let context = Context::current_with_span(request);
    let _current = context.clone().attach();
    // The request ends first, as if its call continued.
    context.span().end();
    let mut call = tracer
        .span_builder("GET")
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("url.full", "http://stock:8443/items"),
            KeyValue::new("server.address", "stock"),
            KeyValue::new("server.port", 8443),
        ])
        .start(&tracer);
    call.end();
    let logger = loggers.logger("shop::orders");
    let mut record = logger.create_log_record();
    record.set_body(AnyValue::from("the stock is low"));
    record.set_severity_number(Severity::Warn);
    record.add_attribute("left", 3);
    logger.emit(record);
    tracers.shutdown().unwrap();
    loggers.shutdown().unwrap();
    (trace, metrics)
}

async fn send_metrics(exporter: &MetricExporter) {
    export_metrics(exporter, resource(), |meter| {
        let kind = [KeyValue::new("kind", "book")];
        meter.u64_counter("orders").build().add(3, &kind);
        let sizes = meter.f64_histogram("size").build();
        for size in [1.0, 2.0, 6.0] {
            sizes.record(size, &kind);
        }
        meter.i64_up_down_counter("open").build().add(-2, &kind);
    })
    .await;
}

async fn everything_arrives(transport: Transport) {
    let sink = Arc::new(Kept::default());
    let exporters = exporters(&sink, transport).await;
    let (trace, metrics) = tokio::task::spawn_blocking(move || send(exporters))
        .await
        .unwrap();
    send_metrics(&metrics).await;
    let envelopes = sink.envelopes();

    let request = named(&envelopes, "GET /orders/{id}");
    let Data::Request(data) = &request.data else {
        panic!("{request:?}")
    };
    assert_eq!((data.response_code.as_ref(), data.success), ("503", false));
    assert_eq!(property(request, "shop.order"), Some("7"));
    let links = property(request, "_MS.links").unwrap();
    assert!(
        links.contains("00000000000000000000000000000abc"),
        "{links}"
    );
    assert_eq!(request.i_key, "key");
    assert_eq!(tag(request, tags::CLOUD_ROLE), Some("europe.shop"));
    assert_eq!(tag(request, tags::CLOUD_ROLE_INSTANCE), Some("shop-1"));
    let sdk = tag(request, tags::INTERNAL_SDK_VERSION).unwrap();
    assert!(sdk.starts_with("lf_rust-otel:0."), "{sdk}");

    let event = named(&envelopes, "looked up");
    assert_eq!(property(event, "rows"), Some("1"));
    let exception = named(&envelopes, "too slow");
    assert!(matches!(exception.data, Data::Exception(_)));

    let call = named(&envelopes, "GET /items");
    let Data::RemoteDependency(dependency) = &call.data else {
        panic!("{call:?}")
    };
    assert_eq!(dependency.target.as_deref(), Some("stock:8443"));
    let operation = Some("GET /orders/{id}");
    assert_eq!(tag(call, tags::OPERATION_NAME), operation);
    assert_eq!(
        tag(call, tags::OPERATION_ID),
        Some(trace.to_string().as_str())
    );
    assert_eq!(tag(call, tags::OPERATION_PARENT_ID), Some(data.id.as_ref()));

    let log = named(&envelopes, "the stock is low");
    assert_eq!(tag(log, tags::OPERATION_NAME), operation);
    assert_eq!(tag(log, tags::OPERATION_PARENT_ID), Some(data.id.as_ref()));
    assert_eq!(property(log, "left"), Some("3"));
    assert_eq!(property(log, "logger_name"), Some("shop::orders"));

    let point = |name: &str| match &named(&envelopes, name).data {
        Data::Metric(data) => data.metrics[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(point("orders").value, 3.0);
    assert_eq!(point("open").value, -2.0);
    let size = point("size");
    assert_eq!((size.value, size.count), (9.0, Some(3)));
    assert_eq!(property(named(&envelopes, "size"), "kind"), Some("book"));

    let resource = &sink.deliveries()[0].batches[0].resource;
    let environment = ("deployment.environment.name".to_owned(), "test".to_owned());
    assert!(resource.contains(&environment), "{resource:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exporter_over_grpc_sends_everything() {
    everything_arrives(Transport::Grpc).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exporter_over_http_with_protobuf_sends_everything() {
    everything_arrives(Transport::HttpProtobuf).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exporter_over_http_with_json_sends_everything() {
    everything_arrives(Transport::HttpJson).await;
}
