//! An excluded request is not silent: its log records arrive, and its ids are propagated.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use azmon_tower::{NoPropagation, ServerLayer};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Empty;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use tower::{Layer, ServiceExt, service_fn};

use crate::fixture::{TestTelemetry, names};

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Handles `/health`, and calls another service. Returns the request headers of that call.
async fn headers_of_the_call(
    telemetry: &TestTelemetry,
    layer: ServerLayer,
    request: Request<()>,
    inside: impl Fn() + Clone + 'static,
) -> HeaderMap {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let keep = Arc::clone(&seen);
    let other = service_fn(move |request: Request<()>| {
        *keep.lock().unwrap() = request.headers().clone();
        async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
    });
    let client = telemetry.client().layer(other);
    let service = layer.layer(service_fn(move |_: Request<()>| {
        let (client, inside) = (client.clone(), inside.clone());
        async move {
            inside();
            let call = Request::get("http://stock.test/").body(()).unwrap();
            client.oneshot(call).await.unwrap();
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    }));
    service.oneshot(request).await.unwrap();
    seen.lock().unwrap().clone()
}

fn health(traceparent: Option<&str>) -> Request<()> {
    let mut request = Request::get("/health");
    if let Some(traceparent) = traceparent {
        request = request
            .header("traceparent", traceparent)
            .header("baggage", "tenant=blue");
    }
    request.body(()).unwrap()
}

#[tokio::test]
async fn ids_and_baggage_of_the_caller_go_on_but_nothing_is_a_span() {
    let telemetry = TestTelemetry::new();
    let tracer = telemetry.tracers.tracer("app");
    let layer = telemetry.server().exclude_paths(["/health"]);
    let headers = headers_of_the_call(&telemetry, layer, health(Some(SAMPLED)), move || {
        tracer.in_span("child", |_| ());
    })
    .await;
    assert_eq!(headers["traceparent"], SAMPLED.replace("-01", "-00"));
    assert_eq!(headers["baggage"], "tenant=blue");
    assert!(
        telemetry.ended().is_empty(),
        "{:?}",
        names(&telemetry.ended())
    );
    assert!(telemetry.points("http.client.request.duration").is_empty());
    assert!(telemetry.points("http.server.request.duration").is_empty());
}

#[tokio::test]
async fn without_a_caller_the_next_service_begins_no_trace_of_its_own() {
    let telemetry = TestTelemetry::new();
    let layer = telemetry.server().exclude_paths(["/health"]);
    let headers = headers_of_the_call(&telemetry, layer, health(None), || ()).await;
    let sent = headers["traceparent"].to_str().unwrap();
    assert!(
        sent.starts_with("00-") && (sent.ends_with("-00") || sent.ends_with("-02")),
        "{sent}"
    );
}

#[tokio::test]
async fn children_can_be_recorded_as_those_of_the_caller() {
    let telemetry = TestTelemetry::new();
    let tracer = telemetry.tracers.tracer("app");
    let layer = telemetry
        .server()
        .exclude_paths(["/health"])
        .exclude_children(false);
    headers_of_the_call(&telemetry, layer, health(Some(SAMPLED)), move || {
        tracer.in_span("child", |_| ());
    })
    .await;
    let spans = telemetry.spans(2).await;
    for span in spans {
        assert_eq!(span.span_context.trace_id().to_string(), SAMPLED[3..35]);
        assert_eq!(span.parent_span_id.to_string(), SAMPLED[36..52]);
    }
}

#[tokio::test]
async fn the_logs_of_an_excluded_request_arrive() {
    let telemetry = TestTelemetry::new();
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = telemetry.server().exclude_user_agents(["kube-probe"]);
    let request = Request::get("/")
        .header("user-agent", "kube-probe/1.30")
        .body(())
        .unwrap();
    let loggers = provider.clone();
    headers_of_the_call(&telemetry, layer, request, move || {
        let logger = loggers.logger("app");
        let mut record = logger.create_log_record();
        record.set_severity_number(Severity::Error);
        record.set_body(AnyValue::from("the database is gone"));
        logger.emit(record);
    })
    .await;
    assert!(telemetry.ended().is_empty());
    assert_eq!(exporter.get_emitted_logs().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_inside_of_an_excluded_request_is_excluded_too() {
    let telemetry = TestTelemetry::new();
    let inner = telemetry.server().layer(service_fn(|_: Request<()>| async {
        assert!(!Context::current().is_telemetry_suppressed());
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    }));
    let outer = telemetry.server().exclude_paths(["/health"]).layer(inner);
    outer.oneshot(health(None)).await.unwrap();
    assert!(telemetry.ended().is_empty());
}

#[tokio::test]
async fn one_call_can_go_without_ids() {
    let telemetry = TestTelemetry::new();
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let keep = Arc::clone(&seen);
    let service = telemetry
        .client()
        .layer(service_fn(move |request: Request<()>| {
            *keep.lock().unwrap() = request.headers().clone();
            async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
        }));
    let request = Request::get("http://other.test/")
        .header("traceparent", SAMPLED)
        .header("baggage", "tenant=blue")
        .extension(NoPropagation);
    service.oneshot(request.body(()).unwrap()).await.unwrap();
    assert!(seen.lock().unwrap().is_empty());
    telemetry.span().await;
    let context = Context::new();
    assert!(context.baggage().is_empty() && !context.span().span_context().is_valid());
}
