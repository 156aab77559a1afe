//! The attributes of a call's span.

use std::pin::Pin;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, get};
use azmon_instrument::http::Redaction;
use azmon_reqwest::UrlTemplate;
use http::Extensions;
use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};
use reqwest::{Body, Method, Proxy, Request, Response, Version};
use reqwest_middleware::{ClientBuilder, Next, Result};

use crate::fixture::{Recorder, assert_attribute, attribute, direct, port, serve, with};

fn answers(status: StatusCode) -> Router {
    Router::new().fallback(any(move || async move { (status, "hello") }))
}

#[tokio::test]
async fn a_call_is_a_client_span_with_the_stable_attributes() {
    let recorder = Recorder::new();
    let url = serve(answers(StatusCode::OK)).await;
    let response = recorder
        .client()
        .post(format!("{url}/orders?page=2"))
        .body("four")
        .send()
        .await
        .unwrap();
    assert_eq!(response.text().await.unwrap(), "hello");
    let span = recorder.span();
    assert_eq!(span.name, "POST");
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(span.status, Status::Unset);
    assert_eq!(span.instrumentation_scope.name(), "azmon-reqwest");
    assert_attribute(&span, "http.request.method", "POST");
    assert_attribute(&span, "http.request.body.size", 4);
    assert_attribute(&span, "http.response.status_code", 200);
    assert_attribute(&span, "http.response.body.size", 5);
    assert_attribute(&span, "network.protocol.version", "1.1");
    assert_attribute(&span, "server.address", "127.0.0.1");
    assert_attribute(&span, "server.port", port(&url));
    assert_attribute(&span, "url.full", format!("{url}/orders?page=2"));
    assert_attribute(&span, "url.scheme", "http");
    assert_eq!(span.attributes.len(), 9);
}

/// Answers in the version of the request, like a gRPC server for an unknown method.
fn answer_as_grpc<'a>(
    request: Request,
    _: &'a mut Extensions,
    _: Next<'a>,
) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>> {
    let response = http::Response::builder()
        .version(request.version())
        .header("content-type", "application/grpc+proto")
        .header("grpc-status", "5")
        .body("");
    Box::pin(async { Ok(response.unwrap().into()) })
}

#[tokio::test]
async fn the_status_of_grpc_counts_where_the_version_allows_grpc() {
    for (version, status) in [
        (Version::HTTP_2, Some("NOT_FOUND")),
        (Version::HTTP_11, None),
    ] {
        let recorder = Recorder::new();
        let client = ClientBuilder::new(direct().build().unwrap())
            .with(recorder.middleware())
            .with(answer_as_grpc)
            .build();
        let call = client
            .post("http://localhost/shop.Shop/Order")
            .version(version);
        call.send().await.unwrap();
        let span = recorder.span();
        for key in ["rpc.response.status_code", "error.type"] {
            assert_eq!(
                attribute(&span, key),
                status.map(Value::from),
                "{version:?}"
            );
        }
        assert_attribute(&span, "http.response.status_code", 200);
    }
}

/// Announces a length that the body itself does not know.
fn answer_announced<'a>(
    _: Request,
    _: &'a mut Extensions,
    _: Next<'a>,
) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>> {
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("hello")]);
    let response = http::Response::builder()
        .header("content-length", "5")
        .body(Body::wrap_stream(chunks));
    Box::pin(async { Ok(response.unwrap().into()) })
}

#[tokio::test]
async fn a_length_that_only_the_header_announces_is_the_size_of_the_body() {
    let recorder = Recorder::new();
    let client = ClientBuilder::new(direct().build().unwrap())
        .with(recorder.middleware().end_at_headers())
        .with(answer_announced)
        .build();
    let response = client.get("http://localhost/").send().await.unwrap();
    assert_attribute(&recorder.span(), "http.response.body.size", 5);
    assert_eq!(response.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn statuses_from_400_are_errors() {
    for status in [404, 500, 503] {
        let recorder = Recorder::new();
        let url = serve(answers(StatusCode::from_u16(status).unwrap())).await;
        let response = recorder.client().get(&url).send().await.unwrap();
        response.bytes().await.unwrap();
        let span = recorder.span();
        assert_eq!(span.status, Status::error(""));
        assert_attribute(&span, "http.response.status_code", i64::from(status));
        assert_attribute(&span, "error.type", status.to_string());
    }
}

#[tokio::test]
async fn a_template_is_in_the_name() {
    let recorder = Recorder::new();
    let url = serve(answers(StatusCode::OK)).await;
    let request = recorder.client().get(format!("{url}/users/7"));
    let response = request
        .with_extension(UrlTemplate::new("/users/{id}"))
        .send()
        .await
        .unwrap();
    drop(response);
    let span = recorder.span();
    assert_eq!(span.name, "GET /users/{id}");
    assert_attribute(&span, "url.template", "/users/{id}");
}

#[tokio::test]
async fn an_unknown_method_does_not_name_the_span() {
    let recorder = Recorder::new();
    let url = serve(answers(StatusCode::OK)).await;
    let method = Method::from_bytes(b"PURGE").unwrap();
    let request = recorder.client().request(method, &url);
    request.send().await.unwrap().bytes().await.unwrap();
    let span = recorder.span();
    assert_eq!(span.name, "HTTP");
    assert_attribute(&span, "http.request.method", "_OTHER");
    assert_attribute(&span, "http.request.method_original", "PURGE");
}

#[tokio::test]
async fn secrets_in_the_url_are_redacted() {
    let url = serve(answers(StatusCode::OK)).await;
    let (_, host) = url.split_once("//").unwrap();
    for (secret, redacted) in [
        (
            format!("http://user:hunter2@{host}/"),
            format!("http://REDACTED:REDACTED@{host}/"),
        ),
        (
            format!("http://{host}/?sig=hunter2&page=1#top"),
            format!("http://{host}/?sig=REDACTED&page=1"),
        ),
    ] {
        let recorder = Recorder::new();
        // A request builder would have moved the credentials to a header.
        let request = reqwest::Request::new(Method::GET, secret.parse().unwrap());
        let response = recorder.client().execute(request).await.unwrap();
        response.bytes().await.unwrap();
        let span = recorder.span();
        assert_attribute(&span, "url.full", redacted);
        assert_attribute(&span, "server.address", "127.0.0.1");
    }
}

#[tokio::test]
async fn which_keys_are_secret_can_be_said() {
    let recorder = Recorder::new();
    let url = serve(answers(StatusCode::OK)).await;
    let redaction = Redaction::none().with_keys(["iban"]);
    let client = with(recorder.middleware().redaction(redaction));
    let request = client.get(format!("{url}/?sig=abc&iban=DE1"));
    request.send().await.unwrap().bytes().await.unwrap();
    let span = recorder.span();
    assert_attribute(&span, "url.full", format!("{url}/?sig=abc&iban=REDACTED"));
}

#[tokio::test]
async fn the_port_of_the_scheme_is_named_too() {
    let recorder = Recorder::new();
    let proxy = serve(answers(StatusCode::OK)).await;
    let client = reqwest::Client::builder()
        .proxy(Proxy::http(proxy).unwrap())
        .build()
        .unwrap();
    let client = ClientBuilder::new(client)
        .with(recorder.middleware())
        .build();
    let response = client.get("http://shop.invalid/").send().await.unwrap();
    response.bytes().await.unwrap();
    let span = recorder.span();
    assert_attribute(&span, "server.address", "shop.invalid");
    assert_attribute(&span, "server.port", 80);
}

#[tokio::test]
async fn a_request_without_a_body_has_no_size() {
    let recorder = Recorder::new();
    let url = serve(answers(StatusCode::OK)).await;
    let response = recorder.client().get(&url).send().await.unwrap();
    response.bytes().await.unwrap();
    let span = recorder.span();
    assert_eq!(attribute(&span, "http.request.body.size"), None);
}

#[tokio::test]
async fn redirects_that_are_followed_are_part_of_the_call() {
    let redirect = |to: &'static str| any(move || async move { axum::response::Redirect::to(to) });
    let router = Router::new()
        .route("/1", redirect("/2"))
        .route("/2", redirect("/3"))
        .route("/3", get(|| async { "arrived" }));
    let recorder = Recorder::new();
    let url = serve(router).await;
    let request = recorder.client().get(format!("{url}/1"));
    let response = request.send().await.unwrap();
    assert_eq!(response.url().path(), "/3");
    assert_eq!(response.text().await.unwrap(), "arrived");
    let span = recorder.span();
    assert_attribute(&span, "url.full", format!("{url}/1"));
    assert_attribute(&span, "http.response.status_code", 200);
}

#[tokio::test]
async fn the_response_stays_what_it_is() {
    let recorder = Recorder::new();
    let url = serve(answers(StatusCode::CREATED)).await;
    let response = recorder
        .client()
        .get(format!("{url}/a?b=c"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.url().as_str(), format!("{url}/a?b=c"));
    assert_eq!(response.content_length(), Some(5));
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(
        i64::from(response.remote_addr().unwrap().port()),
        port(&url)
    );
    assert_eq!(response.text().await.unwrap(), "hello");
}
