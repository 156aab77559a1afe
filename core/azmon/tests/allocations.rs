//! Allocations of azmon's thread for sent spans. The test needs its own process.

#![cfg(test)]

use allocation_counter::measure;
use azmon::testing::SpanEncoder;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, SpanKind, Tracer, TracerProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

const SPANS: usize = 512;

fn spans(end: impl Fn(&mut opentelemetry_sdk::trace::Span)) -> Vec<SpanData> {
    let memory = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(memory.clone())
        .build();
    let tracer = provider.tracer("test");
    let kinds = [SpanKind::Server, SpanKind::Client, SpanKind::Internal];
    for (number, kind) in (0_i64..).zip(kinds.into_iter().cycle()).take(SPANS) {
        let attributes = [
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.route", "/users/{id}"),
            KeyValue::new("http.response.status_code", 200),
            KeyValue::new("url.path", format!("/users/{number}")),
            KeyValue::new("server.address", "shop.example.com"),
            KeyValue::new("server.port", 8443),
            KeyValue::new("shop.total", 19.95),
            KeyValue::new("shop.items", number),
        ];
        let span = tracer.span_builder("work").with_kind(kind);
        end(&mut span.with_attributes(attributes).start(&tracer));
    }
    memory.get_finished_spans().unwrap()
}

/// The allocations for a batch, after a similar one was sent.
fn allocations(spans: &[SpanData]) -> u64 {
    let mut encoder = SpanEncoder::new(&Resource::builder().with_service_name("test").build());
    drop(encoder.encode(spans));
    measure(|| drop(encoder.encode(spans))).count_total
}

#[test]
fn a_batch_of_512_spans_takes_16_allocations_in_all() {
    let allocations = allocations(&spans(Span::end));
    assert!(allocations <= 16, "{allocations}");
}

#[test]
fn an_event_takes_no_allocation_of_its_own() {
    let allocations = allocations(&spans(|span| {
        span.add_event("step", vec![KeyValue::new("number", 1)]);
    }));
    assert!(allocations <= 16, "{allocations}");
}
