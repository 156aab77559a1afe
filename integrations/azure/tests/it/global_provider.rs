//! The global provider, installed after the client was made. No other test uses it.

use azmon_azure::instrument;
use azure_core::http::StatusCode;
use opentelemetry::global;

use crate::fixture::{CONTAINER, Recorder, Service, container, options};

#[tokio::test]
async fn a_global_provider_that_is_installed_later_gets_the_spans() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Created);
    let mut options = options(&service);
    instrument(&mut options);
    let client = container(CONTAINER, options);
    client.create(None).await.unwrap();
    assert!(recorder.spans().is_empty());
    global::set_tracer_provider(recorder.provider.clone());
    client.create(None).await.unwrap();
    assert_eq!(recorder.requests().len(), 1);
}
