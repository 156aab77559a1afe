//! A real retry middleware, outside and inside the traced one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use azmon_reqwest::{AttemptCounter, ResendCount};
use opentelemetry::Value;
use opentelemetry_sdk::trace::SpanData;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, RequestBuilder};
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{RetryTransientMiddleware, Retryable, RetryableStrategy};

use crate::fixture::{Recorder, assert_attribute, attribute, direct, serve};

/// Succeeds after this number of failures.
async fn failing(failures: usize, status: StatusCode) -> String {
    let asked = Arc::new(AtomicUsize::new(0));
    let handler = move || async move {
        if asked.fetch_add(1, Ordering::SeqCst) < failures {
            status
        } else {
            StatusCode::OK
        }
    };
    serve(Router::new().fallback(any(handler))).await
}

/// Three retries without a pause.
fn retries() -> RetryTransientMiddleware<ExponentialBackoff> {
    RetryTransientMiddleware::new_with_policy(policy())
}

fn policy() -> ExponentialBackoff {
    ExponentialBackoff::builder()
        .retry_bounds(Duration::ZERO, Duration::ZERO)
        .build_with_max_retries(3)
}

fn inside(recorder: &Recorder) -> ClientWithMiddleware {
    ClientBuilder::new(direct().build().unwrap())
        .with(retries())
        .with(recorder.middleware())
        .build()
}

fn outside(recorder: &Recorder) -> ClientWithMiddleware {
    ClientBuilder::new(direct().build().unwrap())
        .with(recorder.middleware())
        .with(retries())
        .with(AttemptCounter::new())
        .build()
}

fn resend_counts(spans: &[SpanData]) -> Vec<Option<Value>> {
    let count = |span| attribute(span, "http.request.resend_count");
    spans.iter().map(count).collect()
}

#[tokio::test]
async fn inside_every_attempt_is_a_span_with_its_count() {
    let recorder = Recorder::new();
    let url = failing(2, StatusCode::SERVICE_UNAVAILABLE).await;
    let response = inside(&recorder).get(&url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let spans = recorder.spans();
    let statuses = spans
        .iter()
        .map(|span| attribute(span, "http.response.status_code"));
    let expected: Vec<Option<Value>> = vec![Some(503.into()), Some(503.into()), Some(200.into())];
    assert_eq!(statuses.collect::<Vec<_>>(), expected);
    assert_eq!(
        resend_counts(&spans),
        [None, Some(1.into()), Some(2.into())]
    );
}

#[tokio::test]
async fn inside_attempts_that_have_no_response_are_counted_too() {
    let recorder = Recorder::new();
    let error = inside(&recorder)
        .get("http://nowhere.invalid")
        .send()
        .await
        .unwrap_err();
    assert!(error.is_middleware());
    let counts = resend_counts(&recorder.spans());
    assert_eq!(
        counts,
        [None, Some(1.into()), Some(2.into()), Some(3.into())]
    );
}

#[tokio::test]
async fn one_success_leaves_no_count() {
    let url = failing(0, StatusCode::OK).await;
    for client in [inside, outside] {
        let recorder = Recorder::new();
        client(&recorder).get(&url).send().await.unwrap();
        let span = recorder.span();
        assert_eq!(attribute(&span, "http.request.resend_count"), None);
    }
}

#[tokio::test]
async fn inside_a_counter_changes_nothing() {
    let recorder = Recorder::new();
    let url = failing(2, StatusCode::SERVICE_UNAVAILABLE).await;
    let client = ClientBuilder::new(direct().build().unwrap())
        .with(retries())
        .with(recorder.middleware())
        .with(AttemptCounter::new())
        .build();
    client.get(&url).send().await.unwrap();
    let counts = resend_counts(&recorder.spans());
    assert_eq!(counts, [None, Some(1.into()), Some(2.into())]);
}

#[tokio::test]
async fn outside_one_span_has_the_number_of_attempts() {
    let recorder = Recorder::new();
    let url = failing(2, StatusCode::SERVICE_UNAVAILABLE).await;
    let response = outside(&recorder).get(&url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let span = recorder.span();
    assert_attribute(&span, "http.response.status_code", 200);
    assert_attribute(&span, "http.request.resend_count", 2);
}

#[tokio::test]
async fn outside_the_last_error_names_the_failure() {
    let recorder = Recorder::new();
    let request = outside(&recorder).get("http://nowhere.invalid/connect?sig=hunter2");
    request.send().await.unwrap_err();
    let span = recorder.span();
    assert_attribute(&span, "error.type", "dns");
    assert_attribute(&span, "http.request.resend_count", 3);
    assert!(!format!("{span:?}").contains("hunter2"));
}

#[tokio::test]
async fn outside_an_error_that_is_not_retried_is_named() {
    let recorder = Recorder::new();
    let request = outside(&recorder).get("ftp://host/timeout");
    request.send().await.unwrap_err();
    let span = recorder.span();
    assert_attribute(&span, "error.type", "middleware");
    assert_eq!(attribute(&span, "http.request.resend_count"), None);
}

/// Repeats the request until the work is done.
struct UntilDone;

impl RetryableStrategy for UntilDone {
    fn handle(
        &self,
        result: &Result<reqwest::Response, reqwest_middleware::Error>,
    ) -> Option<Retryable> {
        let is_accepted = matches!(result, Ok(response) if response.status() == 202);
        is_accepted.then_some(Retryable::Transient)
    }
}

#[tokio::test]
async fn retries_of_successes_are_counted_if_asked() {
    let recorder = Recorder::new();
    let url = failing(1, StatusCode::ACCEPTED).await;
    let retries = RetryTransientMiddleware::new_with_policy_and_strategy(policy(), UntilDone);
    let client = ClientBuilder::new(direct().build().unwrap())
        .with_init(|request: RequestBuilder| request.with_extension(ResendCount::default()))
        .with(retries)
        .with(recorder.middleware())
        .build();
    client.get(&url).send().await.unwrap();
    assert_eq!(resend_counts(&recorder.spans()), [None, Some(1.into())]);
}

/// Repeats every failed request.
struct Stubborn;

impl RetryableStrategy for Stubborn {
    fn handle(
        &self,
        result: &Result<reqwest::Response, reqwest_middleware::Error>,
    ) -> Option<Retryable> {
        result.as_ref().err().map(|_| Retryable::Transient)
    }
}

#[tokio::test]
async fn outside_the_error_of_the_last_attempt_is_found() {
    let recorder = Recorder::new();
    let retries = RetryTransientMiddleware::new_with_policy_and_strategy(policy(), Stubborn);
    let client = ClientBuilder::new(direct().build().unwrap())
        .with(recorder.middleware())
        .with(retries)
        .build();
    client.get("ftp://host").send().await.unwrap_err();
    assert_attribute(&recorder.span(), "error.type", "builder");
}
