//! The transports of a traced client.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use azmon_reqwest::TraceMiddleware;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use opentelemetry_sdk::trace::SpanData;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::net::TcpListener;

use crate::fixture::{Recorder, container};

async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/demo", listener.local_addr().unwrap());
    let router = Router::new().fallback(async || StatusCode::CREATED);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn plain() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn requests(recorder: &Recorder, http_client: impl HttpClient + 'static) -> Vec<SpanData> {
    let client = container(&serve().await, recorder.options(&Arc::new(http_client)));
    client.create(None).await.unwrap();
    recorder.requests()
}

#[tokio::test]
async fn a_plain_client_has_one_span_for_each_request() {
    let recorder = Recorder::new();
    assert_eq!(requests(&recorder, plain()).await.len(), 1);
}

/// The documentation therefore advises against it.
#[tokio::test]
async fn a_client_that_is_traced_itself_doubles_the_spans() {
    let recorder = Recorder::new();
    let middleware =
        TraceMiddleware::with_environment(|_| None).tracer_provider(&recorder.provider);
    let traced = ClientBuilder::new(plain()).with(middleware).build();
    assert_eq!(requests(&recorder, Traced(traced)).await.len(), 2);
}

#[derive(Debug)]
struct Traced(ClientWithMiddleware);

#[async_trait]
impl HttpClient for Traced {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let sent = self.0.put(request.url().clone()).send().await;
        let response = sent.map_err(|error| Error::new(ErrorKind::Io, error))?;
        let status = response.status().as_u16().into();
        Ok(AsyncRawResponse::from_bytes(status, Headers::new(), ""))
    }
}
