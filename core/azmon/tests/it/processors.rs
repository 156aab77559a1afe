//! Telemetry processors, from the span to the item that arrives.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use azmon::envelope::Data;
use azmon::testing::InMemoryDestination;
use azmon::{DropReason, ItemDecision, SpanExporter, Telemetry};
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::endpoint::{Endpoint, Script};
use crate::support::{self, builder, name, span};

#[test]
fn processors_change_redact_and_drop_items_before_they_are_cut() {
    let destination = InMemoryDestination::new();
    let telemetry = Telemetry::builder()
        .destination(&destination)
        .install_globally(false)
        .telemetry_processor(|envelope| match &mut envelope.data {
            Data::RemoteDependency(call) if call.name == "ping" => ItemDecision::Drop,
            Data::RemoteDependency(call) => {
                call.name = call.name.replace("secret", "***").into();
                ItemDecision::Keep
            }
            _ => ItemDecision::Keep,
        })
        .telemetry_processor(|envelope| {
            let properties = envelope.data.properties_mut();
            properties.push("long", "x".repeat(10_000));
            ItemDecision::Keep
        })
        .build()
        .unwrap();
    support::span(&telemetry, "ping");
    support::span(&telemetry, "open secret");
    telemetry.force_flush().unwrap();
    let envelopes = destination.envelopes();
    assert_eq!(envelopes.len(), 1);
    assert_eq!(name(&envelopes[0]), "open ***");
    let long = envelopes[0].data.properties().get("long").unwrap();
    assert_eq!(long.len(), 8_192);
    assert_eq!(support::dropped(&telemetry), [(DropReason::Processor, 1)]);
}

#[test]
fn a_panic_in_a_processor_costs_one_item_and_is_counted() {
    let destination = InMemoryDestination::new();
    let telemetry = Telemetry::builder()
        .destination(&destination)
        .install_globally(false)
        .telemetry_processor(|envelope| match &envelope.data {
            Data::RemoteDependency(call) if call.name == "bad" => panic!("meant"),
            _ => ItemDecision::Keep,
        })
        .build()
        .unwrap();
    for name in ["good", "bad", "good"] {
        support::span(&telemetry, name);
    }
    telemetry.force_flush().unwrap();
    let names: Vec<_> = destination.envelopes().iter().map(name).collect();
    assert_eq!(names, ["good", "good"]);
    let dropped = support::dropped(&telemetry);
    assert_eq!(dropped, [(DropReason::ProcessorPanicked, 1)]);
}

#[test]
fn the_plain_exporter_has_processors_too() {
    let destination = InMemoryDestination::new();
    let exporter = SpanExporter::builder()
        .destination(&destination)
        .telemetry_processor(|envelope| match &envelope.data {
            Data::RemoteDependency(call) if call.name == "ping" => ItemDecision::Drop,
            _ => ItemDecision::Keep,
        })
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter)
        .build();
    for name in ["ping", "work"] {
        provider.tracer("it").in_span(name, |_| ());
    }
    let names: Vec<_> = destination.envelopes().iter().map(name).collect();
    assert_eq!(names, ["work"]);
}

#[test]
fn a_shutdown_keeps_its_deadline_with_slow_processors_and_counts_the_items_they_hold() {
    let endpoint = Endpoint::start(vec![Script::Accept; 1_000]);
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let telemetry = builder(endpoint.connection_string())
        .telemetry_processor(move |_| {
            // A millisecond per item, until the test is over.
            let _ = is_over.recv_timeout(Duration::from_millis(1));
            ItemDecision::Keep
        })
        .build()
        .unwrap();
    for number in 0..2_000 {
        span(&telemetry, number.to_string());
    }
    let start = Instant::now();
    let error = telemetry.shutdown(Duration::from_secs(1)).unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(1_500));
    drop(over);
    let traces = error.report().unwrap().traces;
    assert_eq!(traces.sent + traces.dropped, 2_000);
    assert!(traces.sent > 0, "{traces:?}");
    let arrived: usize = endpoint
        .received()
        .iter()
        .map(|received| received.envelopes.len())
        .sum();
    // Uploads that ran at the end may have arrived without an answer.
    assert!(
        arrived as u64 >= traces.sent && arrived <= 2_000,
        "{arrived} {traces:?}"
    );
}

#[test]
fn a_processor_that_never_returns_is_abandoned_and_its_items_are_counted() {
    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let (_hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let telemetry = builder(endpoint.connection_string())
        .telemetry_processor(move |_| {
            let _ = held.lock().unwrap().recv();
            ItemDecision::Keep
        })
        .build()
        .unwrap();
    for number in 0..10 {
        span(&telemetry, number.to_string());
    }
    let start = Instant::now();
    let error = telemetry.shutdown(Duration::from_millis(300)).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.report().unwrap().traces.dropped, 10);
}
