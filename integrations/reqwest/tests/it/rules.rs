//! The application's own rules: names, successes, exclusions, and hosts without propagation.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{self, Poll};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use azmon_reqwest::{EndedExchange, Settings};
use bytes::Bytes;
use http::Extensions;
use http_body::{Body, Frame};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{FutureExt, Status};
use opentelemetry::{Context, KeyValue};
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next, Result};

use crate::fixture::{Recorder, assert_attribute, attribute, direct, serve, with};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Answers with the status in the path, and keeps the headers of the last request.
async fn service() -> (String, Arc<Mutex<HeaderMap>>) {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let keep = Arc::clone(&seen);
    let handler = move |uri: axum::http::Uri, headers: HeaderMap| async move {
        *keep.lock().unwrap() = headers;
        let status = uri.path().trim_start_matches('/').parse::<StatusCode>();
        (status.unwrap_or_default(), "hello")
    };
    (serve(Router::new().fallback(any(handler))).await, seen)
}

#[tokio::test]
async fn ids_that_a_request_has_already_are_removed_where_none_are_sent() {
    let recorder = Recorder::new();
    let (url, seen) = service().await;
    for middleware in [
        recorder.middleware().no_propagation_hosts(["127.0.0.1"]),
        recorder.middleware().propagate_only_to(["*.internal"]),
    ] {
        let request = with(middleware).get(&url);
        let request = request
            .header("traceparent", CALLER)
            .header("tracestate", "a=1")
            .header("baggage", "tenant=blue");
        request.send().await.unwrap().bytes().await.unwrap();
        for name in ["traceparent", "tracestate", "baggage"] {
            assert!(!seen.lock().unwrap().contains_key(name), "{name}");
        }
    }
    let told = with(recorder.middleware().propagate_only_to(["127.0.0.1"]));
    told.get(&url).send().await.unwrap().bytes().await.unwrap();
    assert!(seen.lock().unwrap().contains_key("traceparent"));
}

#[tokio::test]
async fn only_listed_keys_of_the_baggage_leave() {
    let recorder = Recorder::new();
    let (url, seen) = service().await;
    let client = with(recorder.middleware().propagated_baggage(["tenant"]));
    let pairs = [
        KeyValue::new("tenant", "blue"),
        KeyValue::new("user", "ada"),
    ];
    let request = client.get(&url).header("baggage", "user=eve").send();
    let response = request
        .with_context(Context::new().with_baggage(pairs))
        .await;
    response.unwrap().bytes().await.unwrap();
    assert_eq!(seen.lock().unwrap()["baggage"], "tenant=blue");
    let request = client.get(&url).header("baggage", "user=eve").send();
    request.await.unwrap().bytes().await.unwrap();
    assert!(!seen.lock().unwrap().contains_key("baggage"));
}

#[tokio::test]
async fn templates_and_a_hook_name_spans() {
    let recorder = Recorder::new();
    let (url, _) = service().await;
    let middleware = recorder
        .middleware()
        .url_templates(["/users/{id}", "/{*rest}"])
        .span_name(|request, template| {
            let is_post = request.method() == "POST";
            is_post.then(|| format!("send to {}", template.unwrap_or_default()).into())
        });
    let client = with(middleware);
    for request in [
        client.get(format!("{url}/users/7")),
        client.get(format!("{url}/a/b")),
        client.post(format!("{url}/users/7")),
    ] {
        request.send().await.unwrap().bytes().await.unwrap();
    }
    let spans = recorder.spans();
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(
        names,
        ["GET /users/{id}", "GET /{*rest}", "send to /users/{id}"]
    );
    assert_attribute(&spans[0], "url.template", "/users/{id}");
}

#[tokio::test]
async fn an_expected_404_is_a_success_and_the_end_is_told() {
    let recorder = Recorder::new();
    let (url, _) = service().await;
    let told = Arc::new(Mutex::new(Vec::<EndedExchange>::new()));
    let tell = Arc::clone(&told);
    let settings = Settings::new()
        .tracer_provider(&recorder.provider)
        .classify(|end| (end.status()?.as_u16() == 404).then_some(true))
        .on_end(move |end, attributes| {
            attributes.push(KeyValue::new("app.is_error", end.is_error()));
            tell.lock().unwrap().push(end.clone());
        });
    let client = with(recorder.middleware().settings(settings));
    for status in [404, 503] {
        let response = client.get(format!("{url}/{status}")).send().await.unwrap();
        response.bytes().await.unwrap();
    }
    client
        .get("http://nowhere.invalid/")
        .send()
        .await
        .unwrap_err();
    let spans = recorder.spans();
    assert_eq!(spans[0].status, Status::Ok);
    assert_eq!(attribute(&spans[0], "error.type"), None);
    assert_attribute(&spans[0], "app.is_error", false);
    assert_eq!(spans[1].status, Status::error(""));
    assert_attribute(&spans[1], "app.is_error", true);
    assert_attribute(&spans[2], "error.type", "dns");
    let told = told.lock().unwrap();
    let ends: Vec<_> = told
        .iter()
        .map(|end| (end.status(), end.error_type()))
        .collect();
    let status = |code| Some(StatusCode::from_u16(code).unwrap());
    let expected = [
        (status(404), None),
        (status(503), Some("503")),
        (None, Some("dns")),
    ];
    assert_eq!(ends, expected);
}

#[tokio::test]
async fn a_rule_excludes_calls_by_their_path() {
    let recorder = Recorder::new();
    let (url, seen) = service().await;
    let client =
        with(recorder.middleware().exclude_if(|head| {
            head.uri().path() == "/204" || head.headers().contains_key("x-quiet")
        }));
    client.get(format!("{url}/204")).send().await.unwrap();
    client
        .get(&url)
        .header("x-quiet", "1")
        .send()
        .await
        .unwrap();
    assert!(recorder.spans().is_empty());
    client
        .get(&url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    recorder.span();
    assert!(seen.lock().unwrap().contains_key("traceparent"));
}

#[tokio::test]
async fn a_response_that_is_only_looked_at_was_not_given_up() {
    let recorder = Recorder::new();
    let (url, _) = service().await;
    let client = with(recorder.middleware().cancellation_is_error(true));
    let response = client.get(&url).send().await.unwrap();
    drop(response.error_for_status().unwrap());
    let span = recorder.span();
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    assert_eq!(attribute(&span, "error.type"), None);
    assert_eq!(span.status, Status::Unset);
}

/// Returns a response whose body panics.
struct Broken;

struct PanickingBody;

impl Body for PanickingBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, std::io::Error>>> {
        panic!("on purpose")
    }
}

#[async_trait::async_trait]
impl Middleware for Broken {
    async fn handle(&self, _: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        let body = reqwest::Body::wrap(PanickingBody);
        Ok(http::Response::new(body).into())
    }
}

#[tokio::test]
async fn a_panic_of_the_body_is_one() {
    let recorder = Recorder::new();
    let client = ClientBuilder::new(direct().build().unwrap())
        .with(recorder.middleware())
        .with(Broken)
        .build();
    let response = client.get("http://shop.test/").send().await.unwrap();
    let task = tokio::spawn(response.bytes());
    assert!(task.await.unwrap_err().is_panic());
    let span = recorder.span();
    assert_attribute(&span, "error.type", "panic");
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
}

#[tokio::test]
async fn another_call_with_the_same_extensions_was_not_sent_again() {
    let recorder = Recorder::new();
    let (url, _) = service().await;
    let client = recorder.client();
    let mut extensions = Extensions::new();
    let paths = ["/404", "/404", "/503", "/200", "/503", "/503"];
    for path in paths {
        let request = Request::new(
            "GET".parse().unwrap(),
            format!("{url}{path}").parse().unwrap(),
        );
        let response = client
            .execute_with_extensions(request, &mut extensions)
            .await;
        response.unwrap().bytes().await.unwrap();
    }
    let spans = recorder.spans();
    let counts: Vec<_> = spans
        .iter()
        .map(|span| attribute(span, "http.request.resend_count").is_some())
        .collect();
    assert_eq!(counts, [false, false, false, false, false, true]);
}
