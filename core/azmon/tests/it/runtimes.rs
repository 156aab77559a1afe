//! Telemetry works in each runtime, and without one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use azmon::Telemetry;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SimpleSpanProcessor};
use tracing_subscriber::layer::SubscriberExt;

use crate::endpoint::{Endpoint, Script};
use crate::support::{builder, span, telemetry};

fn sends_and_shuts_down() {
    let endpoint = Endpoint::start([Script::Accept, Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "flushed");
    telemetry.force_flush().unwrap();
    span(&telemetry, "shut down");
    telemetry.shutdown(Duration::from_secs(5)).unwrap();
    let names: Vec<_> = endpoint
        .received()
        .iter()
        .flat_map(|received| received.names())
        .collect();
    assert_eq!(names, ["flushed", "shut down"]);
}

#[test]
fn without_a_runtime() {
    sends_and_shuts_down();
}

#[tokio::test(flavor = "current_thread")]
async fn in_a_current_thread_runtime() {
    sends_and_shuts_down();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_multi_thread_runtime() {
    sends_and_shuts_down();
}

#[test]
fn without_a_connection_string_the_error_names_the_remedy() {
    let error = Telemetry::builder()
        .environment(|_| None)
        .build()
        .unwrap_err();
    assert!(error.is_no_connection_string());
    for hint in [
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "azmon portal",
        "disabled_without_connection_string",
    ] {
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn without_a_connection_string_telemetry_can_be_disabled() {
    let telemetry = Telemetry::builder()
        .environment(|_| None)
        .disabled_without_connection_string()
        .install_globally(false)
        .build()
        .unwrap();
    assert!(!telemetry.is_enabled());
    span(&telemetry, "unseen");
    telemetry.force_flush().unwrap();
    telemetry.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn without_a_connection_string_the_users_own_processor_gets_its_spans_all_the_same() {
    let spans = InMemorySpanExporter::default();
    let telemetry = Telemetry::builder()
        .environment(|_| None)
        .disabled_without_connection_string()
        .span_processor(SimpleSpanProcessor::new(spans.clone()))
        .install_globally(false)
        .build()
        .unwrap();
    span(&telemetry, "seen");
    telemetry.force_flush().unwrap();
    let names: Vec<_> = spans.get_finished_spans().unwrap();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].name, "seen");
}

#[test]
fn a_guard_that_is_not_kept_is_warned_of() {
    #[derive(Clone, Default)]
    struct Events(Arc<Mutex<Vec<&'static str>>>);

    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Events {
        fn on_event(
            &self,
            event: &tracing::Event<'_>,
            _: tracing_subscriber::layer::Context<'_, S>,
        ) {
            self.0.lock().unwrap().push(event.metadata().name());
        }
    }

    let endpoint = Endpoint::start([]);
    let events = Events::default();
    let subscriber = tracing_subscriber::registry().with(events.clone());
    let is_warned = || {
        events
            .0
            .lock()
            .unwrap()
            .contains(&"Telemetry.DroppedAtOnce")
    };
    tracing::subscriber::with_default(subscriber, || {
        // On a busy machine a guard may live longer.
        for _ in 0..50 {
            let _ = builder(endpoint.connection_string()).build();
            if is_warned() {
                break;
            }
        }
    });
    assert!(is_warned());
}

#[test]
fn the_environment_disables_telemetry() {
    let endpoint = Endpoint::start([]);
    let telemetry = builder(endpoint.connection_string())
        .environment(|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned()))
        .build()
        .unwrap();
    assert!(!telemetry.is_enabled());
}

#[test]
fn a_bad_connection_string_is_an_error_without_the_key() {
    let error = builder("InstrumentationKey=secret;IngestionEndpoint=nowhere".to_owned())
        .build()
        .unwrap_err();
    assert!(error.is_invalid_connection_string());
    assert!(error.to_string().contains("IngestionEndpoint"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
