//! The headers that a request carries to its server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::any;
use azmon_instrument::exclude::Exclusions;
use azmon_reqwest::{Excluded, NoPropagation, TraceMiddleware};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{FutureExt, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SpanData};
use reqwest_middleware::ClientWithMiddleware;

use crate::fixture::{Recorder, serve, with};

/// Keeps the headers of the last request.
async fn listening() -> (String, Arc<Mutex<HeaderMap>>) {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let keep = Arc::clone(&seen);
    let handler = move |headers: HeaderMap| async move { *keep.lock().unwrap() = headers };
    (serve(Router::new().fallback(any(handler))).await, seen)
}

async fn headers_of(client: &ClientWithMiddleware, context: &Context) -> HeaderMap {
    let (url, seen) = listening().await;
    let request = client.get(&url).send().with_context(context.clone());
    request.await.unwrap().bytes().await.unwrap();
    seen.lock().unwrap().clone()
}

fn traceparent(span: &SpanData) -> String {
    let context = &span.span_context;
    format!("00-{}-{}-03", context.trace_id(), context.span_id())
}

fn traceparent_of(context: &Context) -> String {
    let span = context.span();
    let span = span.span_context();
    format!("00-{}-{}-03", span.trace_id(), span.span_id())
}

#[tokio::test]
async fn the_span_of_the_call_is_sent() {
    let recorder = Recorder::new();
    let parent = recorder.parent();
    let headers = headers_of(&recorder.client(), &parent).await;
    let span = recorder.span();
    assert_eq!(headers["traceparent"], traceparent(&span));
    assert_eq!(span.parent_span_id, parent.span().span_context().span_id());
    assert!(!headers.contains_key("tracestate"));
}

#[tokio::test]
async fn baggage_is_sent() {
    let recorder = Recorder::new();
    let context = recorder
        .parent()
        .with_baggage([KeyValue::new("tenant", "contoso")]);
    let headers = headers_of(&recorder.client(), &context).await;
    assert_eq!(headers["baggage"], "tenant=contoso");
}

#[tokio::test]
async fn what_the_caller_has_set_is_overwritten() {
    let recorder = Recorder::new();
    let (url, seen) = listening().await;
    let context = recorder
        .parent()
        .with_baggage([KeyValue::new("tenant", "contoso")]);
    let request = recorder
        .client()
        .get(&url)
        .header(
            "traceparent",
            "00-11111111111111111111111111111111-1111111111111111-00",
        )
        .header("traceparent", "again")
        .header("tracestate", "old=1")
        .header("baggage", "old=1");
    request.send().with_context(context).await.unwrap();
    let headers = seen.lock().unwrap().clone();
    let values = |name| headers.get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(values("traceparent"), [&*traceparent(&recorder.span())]);
    assert_eq!(values("baggage"), ["tenant=contoso"]);
    assert!(!headers.contains_key("tracestate"));
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_goes_on_so() {
    let recorder = Recorder::with_sampler(Sampler::AlwaysOff);
    let parent = recorder.parent();
    let headers = headers_of(&recorder.client(), &parent).await;
    let sent = headers["traceparent"].to_str().unwrap();
    let trace = parent.span().span_context().trace_id().to_string();
    assert!(sent.contains(&trace) && sent.ends_with("-02"), "{sent}");
    let caller = parent.span().span_context().span_id().to_string();
    assert!(!sent.contains(&caller), "{sent}");
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn a_call_that_is_not_sampled_begins_a_trace_that_is_not() {
    let recorder = Recorder::with_sampler(Sampler::AlwaysOff);
    let headers = headers_of(&recorder.client(), &Context::new()).await;
    let sent = headers["traceparent"].to_str().unwrap();
    assert!(sent.ends_with("-02"), "{sent}");
}

#[tokio::test]
async fn an_excluded_host_makes_no_span_and_stays_part_of_the_trace() {
    for exclusion in ["127.0.0.1", "glob:127.*.*.1", "regex:^127"] {
        let recorder = Recorder::new();
        let client = with(recorder.middleware().exclude_hosts([exclusion]));
        let parent = recorder.parent();
        let headers = headers_of(&client, &parent).await;
        assert!(recorder.spans().is_empty());
        assert_eq!(headers["traceparent"], traceparent_of(&parent));
    }
}

#[tokio::test]
async fn other_hosts_and_ports_are_not_excluded() {
    let recorder = Recorder::new();
    let client = with(
        recorder
            .middleware()
            .exclude_hosts(["127.0.0.1:1", "*.0.0.2"]),
    );
    headers_of(&client, &Context::new()).await;
    recorder.span();
}

#[tokio::test]
async fn lists_that_were_checked_exclude_too() {
    let recorder = Recorder::new();
    let exclusions = Exclusions::new().with_hosts(["127.0.0.1"]).unwrap();
    headers_of(
        &with(recorder.middleware().exclusions(exclusions)),
        &Context::new(),
    )
    .await;
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn the_environment_excludes_hosts() {
    for variable in ["AZMON_EXCLUDED_CLIENT_HOSTS", "AZMON_EXCLUDED_HOSTS"] {
        let recorder = Recorder::new();
        let lookup = |name: &str| (name == variable).then(|| "a.example, 127.0.0.1".to_owned());
        let middleware = TraceMiddleware::with_environment(lookup);
        let client = with(middleware.tracer_provider(&recorder.provider));
        headers_of(&client, &Context::new()).await;
        assert!(recorder.spans().is_empty(), "{variable}");
    }
}

#[tokio::test]
async fn a_host_without_propagation_has_a_span_but_is_told_nothing() {
    let recorder = Recorder::new();
    let client = with(recorder.middleware().no_propagation_hosts(["127.0.0.1"]));
    let context = recorder
        .parent()
        .with_baggage([KeyValue::new("tenant", "contoso")]);
    let headers = headers_of(&client, &context).await;
    assert!(!headers.contains_key("traceparent") && !headers.contains_key("baggage"));
    recorder.span();
}

#[tokio::test]
async fn one_request_can_go_without_a_span() {
    let recorder = Recorder::new();
    let (url, seen) = listening().await;
    let parent = recorder.parent();
    let request = recorder.client().get(&url).with_extension(Excluded);
    request.send().with_context(parent.clone()).await.unwrap();
    assert!(recorder.spans().is_empty());
    assert_eq!(seen.lock().unwrap()["traceparent"], traceparent_of(&parent));
}

#[tokio::test]
async fn one_request_can_go_without_propagation() {
    let recorder = Recorder::new();
    let (url, seen) = listening().await;
    let request = recorder.client().get(&url).with_extension(NoPropagation);
    request.send().await.unwrap();
    assert!(!seen.lock().unwrap().contains_key("traceparent"));
    recorder.span();
}

#[tokio::test]
async fn without_a_provider_the_trace_goes_on() {
    let parent = Recorder::new().parent();
    let client = with(TraceMiddleware::with_environment(|_| None));
    let headers = headers_of(&client, &parent).await;
    assert_eq!(headers["traceparent"], traceparent_of(&parent));
}
