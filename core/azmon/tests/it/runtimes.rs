//! Telemetry works in each runtime, and without one.

use std::time::Duration;

use azmon::Telemetry;

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
fn without_a_connection_string_the_error_says_what_to_do() {
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
