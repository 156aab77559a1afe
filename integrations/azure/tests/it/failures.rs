//! Requests without a response.

use std::net::TcpListener;
use std::sync::Arc;

use azure_core::error::{Error, ErrorKind};
use opentelemetry::trace::Status;

use crate::fixture::{Recorder, Service, assert_attribute, attribute, container};

/// `azure_core` sets only `error.type`. Without a status the span would count as a success.
#[tokio::test]
async fn a_refused_connection_is_a_failure() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/demo?sig=hunter2", closed.local_addr().unwrap());
    drop(closed);
    let recorder = Recorder::new();
    let http_client = reqwest::Client::builder().no_proxy().build().unwrap();
    let client = container(&url, recorder.options(&Arc::new(http_client)));
    client.create(None).await.unwrap_err();
    let request = recorder.request();
    assert_attribute(&request, "error.type", "Connection");
    assert_eq!(request.status, Status::error("Connection"));
    assert_eq!(attribute(&request, "http.response.status_code"), None);
    assert!(!format!("{:?}", recorder.spans()).contains("hunter2"));
}

#[tokio::test]
async fn an_error_of_the_transport_is_a_failure_without_its_text() {
    let recorder = Recorder::new();
    let service = Service::new(|_| Some(Err(Error::with_message(ErrorKind::Io, "hunter2"))));
    let client = recorder.container(&service);
    client.create(None).await.unwrap_err();
    assert_eq!(recorder.request().status, Status::error("Io"));
    let call = recorder.span("Storage.Blob.BlobContainerClient.create");
    assert_eq!(call.status, Status::error("Io"));
    assert!(!format!("{:?}", recorder.spans()).contains("hunter2"));
}
