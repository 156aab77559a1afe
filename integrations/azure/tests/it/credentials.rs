//! Credentials, whose calls are traced if their own options are instrumented.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::TokenProvider;
use azmon_azure::token_provider;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{Body, ClientOptions, StatusCode, Url};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use opentelemetry::trace::{FutureExt, TraceContextExt};

use crate::fixture::{Recorder, Service, attribute, header, options, response};

/// A service that plays both Entra ID and a storage account.
fn service() -> Arc<Service> {
    Service::new(|request| {
        let is_token = request.url().path().ends_with("/oauth2/v2.0/token");
        let answer = if is_token {
            let token = r#"{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"hunter2"}"#;
            response(
                StatusCode::Ok,
                &[("content-type", "application/json")],
                token,
            )
        } else {
            response(StatusCode::Created, &[], "")
        };
        Some(Ok(answer))
    })
}

fn credential(client_options: ClientOptions) -> Arc<dyn TokenCredential> {
    let options = ClientSecretCredentialOptions { client_options };
    ClientSecretCredential::new(
        "00000000-0000-0000-0000-000000000001",
        "client".to_owned(),
        Secret::new("hunter2"),
        Some(options),
    )
    .unwrap()
}

async fn create(recorder: &Recorder, service: &Arc<Service>, credential: Arc<dyn TokenCredential>) {
    let url = Url::parse("https://account.blob.core.windows.net/demo").unwrap();
    let options = BlobContainerClientOptions {
        client_options: recorder.options(service),
        ..BlobContainerClientOptions::default()
    };
    let client = BlobContainerClient::new(url, Some(credential), Some(options)).unwrap();
    let parent = recorder.parent();
    client
        .create(None)
        .with_context(parent.clone())
        .await
        .unwrap();
    let trace = parent.span().span_context().trace_id();
    for span in recorder.spans() {
        assert_eq!(span.span_context.trace_id(), trace, "{span:#?}");
    }
}

#[tokio::test]
async fn the_call_for_a_token_is_part_of_the_trace() {
    let recorder = Recorder::new();
    let service = service();
    let credential = credential(recorder.options(&service));
    create(&recorder, &service, credential).await;
    let token = recorder.span("POST");
    let url = attribute(&token, "url.full").unwrap();
    assert!(url.as_str().ends_with("/oauth2/v2.0/token"), "{url}");
    assert!(!format!("{:?}", recorder.spans()).contains("hunter2"));
    let sent = service.requests();
    assert_eq!(header(&sent[1], "authorization"), Some("Bearer hunter2"));
}

#[tokio::test]
async fn a_credential_whose_options_are_not_instrumented_is_not_traced() {
    let recorder = Recorder::new();
    let service = service();
    let credential = credential(options(&service));
    create(&recorder, &service, credential).await;
    assert_eq!(recorder.requests().len(), 1);
    assert_eq!(service.requests().len(), 2);
}

const SCOPE: &str = "https://monitor.azure.com//.default";

#[tokio::test]
async fn a_credential_is_a_token_provider_whose_calls_are_not_recorded() {
    let recorder = Recorder::new();
    let service = service();
    let provider: Arc<dyn TokenProvider> =
        Arc::new(token_provider(credential(recorder.options(&service))));
    let parent = recorder.parent();
    let token = provider.token(SCOPE).with_context(parent).await.unwrap();
    assert_eq!(token.secret(), "hunter2");
    let life = token
        .expires_on()
        .duration_since(SystemTime::now())
        .unwrap();
    assert!(life > Duration::from_secs(3_500), "{life:?}");
    assert!(life <= Duration::from_secs(3_600), "{life:?}");
    assert!(recorder.spans().is_empty());
    let sent = service.requests().remove(0);
    assert_eq!(header(&sent, "traceparent"), None);
    let Body::Bytes(body) = sent.body() else {
        panic!("the form is not bytes");
    };
    let form = std::str::from_utf8(body).unwrap();
    let scope = "scope=https%3A%2F%2Fmonitor.azure.com%2F%2F.default";
    assert!(form.contains(scope), "{form}");
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_an_error_without_secrets() {
    let recorder = Recorder::new();
    let service = Service::new(|_| {
        let error = r#"{"error":"invalid_client","error_description":"AADSTS7000215"}"#;
        let json = [("content-type", "application/json")];
        Some(Ok(response(StatusCode::Unauthorized, &json, error)))
    });
    let provider = token_provider(credential(recorder.options(&service)));
    let error = provider.token(SCOPE).await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(!format!("{provider:?}").contains("hunter2"));
}
