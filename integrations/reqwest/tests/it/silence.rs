//! While telemetry is suppressed, nothing is recorded, and no headers are written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::any;
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, Tracer, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use reqwest_middleware::ClientWithMiddleware;
use tokio::runtime::Handle;

use crate::fixture::{Recorder, serve, with};

/// Counts the requests with and without ids.
#[derive(Debug, Default)]
struct Seen {
    with_ids: AtomicUsize,
    without: AtomicUsize,
}

async fn counting() -> (String, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let count = Arc::clone(&seen);
    let handler = move |headers: HeaderMap| async move {
        let counter = if headers.contains_key("traceparent") {
            &count.with_ids
        } else {
            &count.without
        };
        counter.fetch_add(1, Ordering::SeqCst);
    };
    (serve(Router::new().fallback(any(handler))).await, seen)
}

#[tokio::test]
async fn a_suppressed_call_has_no_span_no_metric_and_no_ids() {
    let recorder = Recorder::new();
    let metrics = InMemoryMetricExporter::default();
    let meters = SdkMeterProvider::builder()
        .with_periodic_exporter(metrics.clone())
        .build();
    let client = with(recorder.middleware().meter_provider(&meters));
    let (url, seen) = counting().await;
    let suppressed = recorder.parent().with_telemetry_suppressed();
    let call = client.get(&url).send().with_context(suppressed);
    call.await.unwrap().bytes().await.unwrap();
    meters.force_flush().unwrap();
    assert!(recorder.spans().is_empty());
    assert!(metrics.get_finished_metrics().unwrap().is_empty());
    assert_eq!(seen.with_ids.load(Ordering::SeqCst), 0);
    assert_eq!(seen.without.load(Ordering::SeqCst), 1);
}

/// An HTTP exporter whose client is traced by mistake.
#[derive(Debug)]
struct HttpExporter {
    client: ClientWithMiddleware,
    runtime: Handle,
    url: String,
}

impl SpanExporter for HttpExporter {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        // It runs in the processor's own thread.
        let call = self.client.post(&self.url).send();
        self.runtime.block_on(call).unwrap();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_exporters_stay_out() {
    let recorder = Recorder::new();
    let (url, seen) = counting().await;
    let exporter = HttpExporter {
        client: recorder.client(),
        runtime: Handle::current(),
        url,
    };
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .build();
    provider.tracer("test").start("work");
    let flush = move || provider.force_flush();
    tokio::task::spawn_blocking(flush).await.unwrap().unwrap();
    assert_eq!(seen.without.load(Ordering::SeqCst), 1);
    assert_eq!(seen.with_ids.load(Ordering::SeqCst), 0);
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn only_what_is_suppressed_is() {
    let recorder = Recorder::new();
    let (url, seen) = counting().await;
    let client = recorder.client();
    let suppressed = Context::new().with_telemetry_suppressed();
    client
        .get(&url)
        .send()
        .with_context(suppressed)
        .await
        .unwrap();
    client.get(&url).send().await.unwrap();
    recorder.span();
    assert_eq!(seen.with_ids.load(Ordering::SeqCst), 1);
}
