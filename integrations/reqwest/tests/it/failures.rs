//! Calls without a response.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::any;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, Error, Next, Result};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::fixture::{Recorder, assert_attribute, attribute, converse, direct, serve, silence};

/// The words of its path are names of other errors, and its query is a secret.
const TARGET: &str = "/connect/timeout?sig=hunter2";

#[track_caller]
fn assert_failed(span: &SpanData, error_type: &str) {
    assert_attribute(span, "error.type", error_type.to_owned());
    assert_eq!(span.status, Status::error(""));
    assert_eq!(attribute(span, "http.response.status_code"), None);
    assert!(!format!("{span:?}").contains("hunter2"));
}

async fn fail(recorder: &Recorder, client: reqwest::ClientBuilder, url: &str) -> Error {
    let client = ClientBuilder::new(client.build().unwrap())
        .with(recorder.middleware())
        .build();
    let request = client.get(format!("{url}{TARGET}"));
    request.send().await.unwrap_err()
}

#[tokio::test]
async fn a_refused_connection_is_named() {
    let closed = StdListener::bind("127.0.0.1:0").unwrap();
    let url = crate::fixture::url(closed.local_addr().unwrap());
    drop(closed);
    let recorder = Recorder::new();
    assert!(fail(&recorder, direct(), &url).await.is_connect());
    assert_failed(&recorder.span(), "connection_refused");
}

#[tokio::test]
async fn a_name_that_is_not_resolved_is_named() {
    let recorder = Recorder::new();
    let error = fail(&recorder, direct(), "http://nowhere.invalid").await;
    assert!(error.is_connect());
    let span = recorder.span();
    assert_failed(&span, "dns");
    assert_attribute(&span, "server.address", "nowhere.invalid");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_named() {
    let recorder = Recorder::new();
    let url = serve_untrusted().await;
    assert!(fail(&recorder, direct(), &url).await.is_connect());
    let span = recorder.span();
    assert_failed(&span, "tls");
    assert_attribute(&span, "url.scheme", "https");
}

async fn serve_untrusted() -> String {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signed.signing_key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client closes the connection.
            let _ = acceptor.accept(stream).await;
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_a_timeout() {
    let recorder = Recorder::new();
    let client = direct().timeout(Duration::from_secs(60));
    assert!(fail(&recorder, client, &silence().await).await.is_timeout());
    assert_failed(&recorder.span(), "timeout");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_named() {
    let recorder = Recorder::new();
    let url = converse(|stream| async { drop(stream) }).await;
    fail(&recorder, direct(), &url).await;
    let span = recorder.span();
    let error_type = attribute(&span, "error.type").unwrap().to_string();
    assert!(
        ["connection_closed", "connection_reset"].contains(&&*error_type),
        "{error_type}"
    );
    assert_failed(&span, &error_type);
}

#[tokio::test]
async fn redirects_without_end_are_named() {
    let recorder = Recorder::new();
    let again = any(|| async { Redirect::to(TARGET) });
    let url = serve(Router::new().fallback(again)).await;
    assert!(fail(&recorder, direct(), &url).await.is_redirect());
    assert_failed(&recorder.span(), "redirect");
}

#[tokio::test]
async fn a_url_that_cannot_be_called_is_named() {
    let recorder = Recorder::new();
    assert!(fail(&recorder, direct(), "ftp://host").await.is_builder());
    assert_failed(&recorder.span(), "builder");
}

#[derive(Debug)]
struct NoToken;

impl std::fmt::Display for NoToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no token: hunter2")
    }
}

impl std::error::Error for NoToken {}

fn without_token<'a>(
    _: Request,
    _: &'a mut axum::http::Extensions,
    _: Next<'a>,
) -> std::pin::Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>> {
    Box::pin(async { Err(Error::middleware(NoToken)) })
}

#[tokio::test]
async fn an_error_of_another_middleware_is_named_without_its_text() {
    let recorder = Recorder::new();
    let client = ClientBuilder::new(direct().build().unwrap())
        .with(recorder.middleware())
        .with(without_token)
        .build();
    let error = client.get("http://localhost").send().await.unwrap_err();
    assert!(error.is_middleware());
    assert_failed(&recorder.span(), "middleware");
}

fn panics<'a>(
    _: Request,
    _: &'a mut axum::http::Extensions,
    _: Next<'a>,
) -> std::pin::Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>> {
    Box::pin(async { panic!("hunter2") })
}

#[tokio::test]
async fn a_panic_inside_is_marked() {
    let recorder = Recorder::new();
    let client = ClientBuilder::new(direct().build().unwrap())
        .with(recorder.middleware())
        .with(panics)
        .build();
    let call = tokio::spawn(async move { client.get("http://localhost").send().await });
    assert!(call.await.unwrap_err().is_panic());
    assert_failed(&recorder.span(), "panic");
}
