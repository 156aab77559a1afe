//! Requests that check whether something exists.

use azure_core::http::StatusCode;
use azure_storage_blob::BlobContainerClient;
use opentelemetry::trace::Status;

use crate::fixture::{
    CONTAINER, Recorder, Service, assert_attribute, attribute, container, response,
};

fn client(recorder: &Recorder, missing_is_success: bool) -> BlobContainerClient {
    let service = Service::new(|request| {
        let is_blob = request.url().path().ends_with("/blob");
        let code = (
            "x-ms-error-code",
            if is_blob {
                "BlobNotFound"
            } else {
                "ContainerNotFound"
            },
        );
        Some(Ok(response(StatusCode::NotFound, &[code], "")))
    });
    let mut options = recorder.options(&service);
    recorder
        .tracing()
        .missing_is_success(missing_is_success)
        .instrument(&mut options);
    container(CONTAINER, options)
}

#[tokio::test]
async fn a_missing_blob_is_a_failure_unless_it_is_asked_to_be_a_success() {
    for (missing_is_success, status, error_type) in [
        (false, Status::error(""), Some("404".into())),
        (true, Status::Ok, None),
    ] {
        let recorder = Recorder::new();
        let client = client(&recorder, missing_is_success);
        assert!(!client.blob_client("blob").exists().await.unwrap());
        let request = recorder.span("HEAD");
        assert_eq!(request.status, status);
        assert_eq!(attribute(&request, "error.type"), error_type);
        assert_attribute(&request, "http.response.status_code", 404);
    }
}

#[tokio::test]
async fn a_missing_container_is_asked_for_by_get_and_can_be_a_success_too() {
    for (missing_is_success, status) in [(false, Status::error("")), (true, Status::Ok)] {
        let recorder = Recorder::new();
        let client = client(&recorder, missing_is_success);
        assert!(!client.exists().await.unwrap());
        assert_eq!(recorder.span("GET").status, status);
    }
}

#[tokio::test]
async fn a_missing_blob_that_is_read_is_always_a_failure() {
    let recorder = Recorder::new();
    let client = client(&recorder, true);
    let blob = client.blob_client("blob");
    blob.download(None).await.err().unwrap();
    let request = recorder.span("GET");
    assert_eq!(request.status, Status::error(""));
    assert_attribute(&request, "error.type", "404");
}
