//! Attributes that the application adds.

use axum::Router;
use axum::routing::get;
use opentelemetry::{Array, KeyValue, StringValue, Value};

use crate::fixture::{Recorder, answer, assert_attribute, attribute, serve, with};

async fn tenant() -> String {
    let handler = || async {
        (
            [("x-tenant", "contoso"), ("set-cookie", "id=hunter2")],
            "hello",
        )
    };
    serve(Router::new().route("/", get(handler))).await
}

#[tokio::test]
async fn hooks_add_attributes_of_request_and_response() {
    let recorder = Recorder::new();
    let middleware = recorder
        .middleware()
        .on_request(|request, attributes| {
            attributes.push(KeyValue::new("path", request.url().path().to_owned()));
        })
        .on_response(|response, attributes| {
            let tenant = response.headers()["x-tenant"].to_str().unwrap();
            attributes.push(KeyValue::new("tenant", tenant.to_owned()));
        });
    let response = with(middleware).get(tenant().await).send().await.unwrap();
    response.bytes().await.unwrap();
    let span = recorder.span();
    assert_attribute(&span, "path", "/");
    assert_attribute(&span, "tenant", "contoso");
}

#[tokio::test]
async fn a_hook_adds_attributes_of_the_error() {
    let recorder = Recorder::new();
    let middleware = recorder.middleware().on_error(|error, attributes| {
        let error: &reqwest_middleware::Error = error.downcast_ref().unwrap();
        attributes.push(KeyValue::new("connects", !error.is_connect()));
    });
    let call = with(middleware).get("http://nowhere.invalid").send();
    call.await.unwrap_err();
    assert_attribute(&recorder.span(), "connects", false);
}

#[tokio::test]
async fn a_hook_adds_attributes_of_the_error_of_a_body() {
    let recorder = Recorder::new();
    let middleware = recorder.middleware().on_error(|error, attributes| {
        let error: &reqwest::Error = error.downcast_ref().unwrap();
        attributes.push(KeyValue::new("broken", error.is_decode()));
    });
    let url = answer(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
    let response = with(middleware).get(url).send().await.unwrap();
    response.bytes().await.unwrap_err();
    assert_attribute(&recorder.span(), "broken", true);
}

#[tokio::test]
async fn only_listed_headers_are_captured() {
    let recorder = Recorder::new();
    let middleware = recorder
        .middleware()
        .request_headers(["X-Shop"])
        .response_headers(["x-tenant"]);
    let request = with(middleware).get(tenant().await);
    let request = request
        .header("x-shop", "1")
        .header("authorization", "hunter2");
    request.send().await.unwrap().bytes().await.unwrap();
    let span = recorder.span();
    let list = |text: &'static str| Value::Array(Array::String(vec![StringValue::from(text)]));
    assert_eq!(
        attribute(&span, "http.request.header.x-shop"),
        Some(list("1"))
    );
    assert_eq!(
        attribute(&span, "http.response.header.x-tenant"),
        Some(list("contoso"))
    );
    assert!(!format!("{span:?}").contains("hunter2"));
}
