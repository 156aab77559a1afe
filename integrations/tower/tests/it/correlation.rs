//! Telemetry inside a handler belongs to its request.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{SpanId, TraceId, Tracer, TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tower::{Layer, Service, ServiceExt};
use tracing::Instrument;
use tracing::instrument::WithSubscriber;
use tracing_subscriber::layer::SubscriberExt;

use crate::fixture::{self, TestTelemetry, named};

#[tokio::test]
async fn events_and_spans_of_tracing_belong_to_the_request() {
    let telemetry = TestTelemetry::new();
    let logs = InMemoryLogExporter::default();
    let loggers = SdkLoggerProvider::builder()
        .with_simple_exporter(logs.clone())
        .build();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(telemetry.tracers.tracer("tracing")))
        .with(OpenTelemetryTracingBridge::new(&loggers));
    let tracer = telemetry.tracers.tracer("app");
    let handler = move || async move {
        tracing::info!("outside");
        async {
            tracing::info!("inside");
            tokio::task::yield_now().await;
            tracer.in_span("of the API", |_| {});
        }
        .instrument(tracing::info_span!("of tracing"))
        .await;
    };
    let router = Router::new().route("/", get(handler));
    let mut service = telemetry.server().layer(router);
    let request = http::Request::new(axum::body::Body::empty());
    service
        .call(request)
        .with_subscriber(subscriber)
        .await
        .unwrap();

    let spans = telemetry.spans(3).await;
    let request = named(&spans, "GET");
    let of_tracing = named(&spans, "of tracing");
    let of_api = named(&spans, "of the API");
    assert_eq!(of_tracing.parent_span_id, request.span_context.span_id());
    assert_eq!(of_api.parent_span_id, of_tracing.span_context.span_id());
    for span in &spans {
        assert_eq!(
            span.span_context.trace_id(),
            request.span_context.trace_id()
        );
    }
    let spans_of_logs: Vec<_> = logs.get_emitted_logs().unwrap();
    let span_of = |index: usize| spans_of_logs[index].record.trace_context().unwrap().span_id;
    assert_eq!(span_of(0), request.span_context.span_id());
    assert_eq!(span_of(1), of_tracing.span_context.span_id());
}

const REQUESTS: u32 = 10_000;

/// Each request has its own trace, chosen by the caller, so that every child and log record shows where it
/// belongs. All requests are inside the handler before the first one continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_requests_at_once_do_not_mix() {
    let telemetry = TestTelemetry::new();
    let logs = InMemoryLogExporter::default();
    let loggers = SdkLoggerProvider::builder()
        .with_simple_exporter(logs.clone())
        .build();
    let subscriber = tracing_subscriber::registry().with(OpenTelemetryTracingBridge::new(&loggers));
    let dispatch = tracing::Dispatch::new(subscriber);
    let tracer = telemetry.tracers.tracer("app");
    let all_are_in = Arc::new(Barrier::new(REQUESTS as usize));
    let handler = move |Path(number): Path<u32>| async move {
        all_are_in.wait().await;
        tracer.in_span(format!("child {number}"), |_| {});
        tokio::task::yield_now().await;
        tracing::info!(number, "log");
    };
    let router = Router::new()
        .route("/{number}", get(handler))
        .layer(telemetry.server());
    let mut requests = JoinSet::new();
    for number in 0..REQUESTS {
        let request = http::Request::get(format!("/{number}"))
            .header(
                "traceparent",
                format!("00-{:032x}-{:016x}-01", number + 1, number + 1),
            )
            .body(axum::body::Body::empty())
            .unwrap();
        let exchange = router.clone().oneshot(request);
        requests.spawn(exchange.with_subscriber(dispatch.clone()));
    }
    while let Some(response) = fixture::within(requests.join_next()).await {
        let body = response.unwrap().unwrap().into_body();
        http_body_util::BodyExt::collect(body).await.unwrap();
    }

    let spans = telemetry.spans(2 * REQUESTS as usize).await;
    let mut requests: HashMap<TraceId, SpanId> = HashMap::new();
    for span in spans.iter().filter(|span| span.name == "GET /{number}") {
        let trace = span.span_context.trace_id();
        assert_eq!(requests.insert(trace, span.span_context.span_id()), None);
        let caller = u64::try_from(u128::from_be_bytes(trace.to_bytes())).unwrap();
        assert_eq!(span.parent_span_id, SpanId::from(caller));
    }
    assert_eq!(requests.len(), REQUESTS as usize);
    let belongs = |number: u32, trace: TraceId, parent: SpanId| {
        assert_eq!(trace, TraceId::from(u128::from(number) + 1));
        assert_eq!(parent, requests[&trace]);
    };
    let number_of = |span: &SpanData| {
        span.name
            .strip_prefix("child ")
            .map(|number| number.parse().unwrap())
    };
    for span in &spans {
        if let Some(number) = number_of(span) {
            belongs(number, span.span_context.trace_id(), span.parent_span_id);
        }
    }
    let logs = logs.get_emitted_logs().unwrap();
    let logs = logs.iter().map(|log| &log.record).filter(|record| {
        record
            .target()
            .is_some_and(|target| target.starts_with("it::"))
    });
    let mut count = 0;
    for record in logs {
        let number = record
            .attributes_iter()
            .find_map(|(key, value)| match value {
                AnyValue::Int(number) if key.as_str() == "number" => u32::try_from(*number).ok(),
                _ => None,
            });
        let context = record.trace_context().unwrap();
        belongs(number.unwrap(), context.trace_id, context.span_id);
        count += 1;
    }
    assert_eq!(count, REQUESTS);
}
