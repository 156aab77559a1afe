//! The calls of a traced client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use azmon_azure::AzureTracing;
use azure_core::http::{FixedRetryOptions, RetryOptions, StatusCode};
use azure_core::time::Duration;
use azure_core::tracing::{SpanKind as AzureKind, TracerProvider};
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, SpanId, SpanKind, Status, TraceContextExt};

use crate::fixture::{
    CONTAINER, Recorder, Service, active, assert_attribute, assert_child, attribute, container,
    header, options, response, traceparent,
};

const CREATE: &str = "Storage.Blob.BlobContainerClient.create";

#[tokio::test]
async fn a_call_is_a_span_of_the_caller_and_holds_that_of_its_request() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Created);
    let parent = recorder.parent();
    let client = recorder.container(&service);
    client
        .create(None)
        .with_context(parent.clone())
        .await
        .unwrap();
    let call = recorder.span(CREATE);
    assert_eq!(call.span_kind, SpanKind::Internal);
    assert_eq!(call.parent_span_id, active(&parent));
    assert_eq!(call.status, Status::Unset);
    assert_attribute(&call, "az.namespace", "Storage.Blob.Container");
    let request = recorder.span("PUT");
    assert_eq!(request.span_kind, SpanKind::Client);
    assert_child(&request, &call);
    assert_eq!(request.status, Status::Unset);
    assert_attribute(&request, "http.request.method", "PUT");
    assert_attribute(&request, "http.response.status_code", 201);
    assert_attribute(&request, "server.address", "account.invalid");
    assert_attribute(&request, "server.port", 10000);
    assert_eq!(attribute(&request, "error.type"), None);
}

#[tokio::test]
async fn the_scope_is_the_crate_of_the_client() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Created);
    recorder.container(&service).create(None).await.unwrap();
    let scope = recorder.span(CREATE).instrumentation_scope;
    assert_eq!(scope.name(), "azure_storage_blob");
    assert!(scope.version().unwrap().starts_with("1."));
    assert_eq!(
        scope.schema_url(),
        Some("https://opentelemetry.io/schemas/1.23.0")
    );
}

#[tokio::test]
async fn the_id_that_the_service_gives_a_request_is_recorded() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Created);
    recorder.container(&service).create(None).await.unwrap();
    let request = recorder.request();
    assert_attribute(&request, "az.service_request.id", "request-7");
    let sent = service.requests().remove(0);
    let id = header(&sent, "x-ms-client-request-id").unwrap().to_owned();
    assert_attribute(&request, "az.client_request_id", id);
}

#[tokio::test]
async fn options_that_are_instrumented_twice_record_once() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Created);
    let mut options = recorder.options(&service);
    recorder.tracing().instrument(&mut options);
    container(CONTAINER, options).create(None).await.unwrap();
    assert_attribute(&recorder.request(), "az.service_request.id", "request-7");
}

#[tokio::test]
async fn signatures_do_not_leave() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Conflict);
    let client = recorder.container(&service);
    client.create(None).await.unwrap_err();
    let url = attribute(&recorder.request(), "url.full").unwrap();
    assert!(url.as_str().contains("sig=REDACTED"), "{url}");
    assert!(url.as_str().contains("sv=2026-01-01"), "{url}");
    assert!(!format!("{:?}", recorder.spans()).contains("hunter2"));
}

#[tokio::test]
async fn a_status_from_400_is_a_failure_of_the_request() {
    for status in [StatusCode::Conflict, StatusCode::InternalServerError] {
        let recorder = Recorder::new();
        let service = Service::of(status);
        let client = recorder.container(&service);
        client.create(None).await.unwrap_err();
        let request = recorder.request();
        assert_eq!(request.status, Status::error(""));
        assert_attribute(&request, "error.type", status.to_string());
        assert_attribute(
            &request,
            "http.response.status_code",
            i64::from(u16::from(status)),
        );
        let call = recorder.span(CREATE);
        assert_attribute(&call, "error.type", status.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn each_try_is_a_request_of_the_call_and_is_sent_its_own_id() {
    let recorder = Recorder::new();
    let tries = AtomicUsize::new(0);
    let service = Service::new(move |_| {
        let status = match tries.fetch_add(1, Ordering::Relaxed) {
            0 => StatusCode::ServiceUnavailable,
            _ => StatusCode::Created,
        };
        Some(Ok(response(status, &[], "")))
    });
    let mut options = recorder.options(&service);
    options.retry = RetryOptions::fixed(FixedRetryOptions {
        delay: Duration::seconds(1),
        ..FixedRetryOptions::default()
    });
    container(CONTAINER, options).create(None).await.unwrap();
    let call = recorder.span(CREATE);
    let requests = recorder.requests();
    let sent: Vec<_> = service
        .requests()
        .iter()
        .map(|request| header(request, "traceparent").unwrap().to_owned())
        .collect();
    let recorded: Vec<_> = requests.iter().map(traceparent).collect();
    assert_eq!(sent, recorded);
    assert_eq!(sent.len(), 2);
    let counts = requests
        .iter()
        .map(|request| attribute(request, "http.request.resend_count"));
    assert!(counts.eq([None, Some(1.into())]));
    for request in &requests {
        assert_child(request, &call);
    }
}

#[tokio::test]
async fn nothing_is_recorded_or_sent_where_telemetry_is_suppressed() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Created);
    let client = recorder.container(&service);
    let suppressed = recorder.parent().with_telemetry_suppressed();
    client.create(None).with_context(suppressed).await.unwrap();
    assert!(recorder.spans().is_empty());
    assert_eq!(header(&service.requests()[0], "traceparent"), None);
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_is_passed_on() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Created);
    let client = recorder.container(&service);
    let parent = opentelemetry::trace::SpanContext::new(
        1_u128.into(),
        1_u64.into(),
        opentelemetry::trace::TraceFlags::default(),
        true,
        opentelemetry::trace::TraceState::default(),
    );
    let parent = Context::new().with_remote_span_context(parent);
    client.create(None).with_context(parent).await.unwrap();
    assert!(recorder.spans().is_empty());
    let sent = service.requests().remove(0);
    let sent = header(&sent, "traceparent").unwrap();
    assert!(
        sent.starts_with("00-00000000000000000000000000000001-"),
        "{sent}"
    );
    assert!(sent.ends_with("-00"), "{sent}");
}

#[tokio::test]
async fn a_call_that_is_given_up_says_so() {
    let recorder = Recorder::new();
    let service = Service::new(|_| None);
    let client = recorder.container(&service);
    let call = tokio::spawn(async move { client.create(None).await });
    while service.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    for span in [recorder.request(), recorder.span(CREATE)] {
        assert_attribute(&span, "azmon.cancelled", "before_headers");
        assert_eq!(span.status, Status::Unset);
    }
}

#[tokio::test]
async fn clients_without_options_of_ours_are_not_traced() {
    let recorder = Recorder::new();
    let service = Service::of(StatusCode::Created);
    let client = container(CONTAINER, options(&service));
    let parent = recorder.parent();
    client.create(None).with_context(parent).await.unwrap();
    assert!(recorder.spans().is_empty());
}

#[test]
fn a_span_below_one_of_another_provider_belongs_to_the_context() {
    let recorder = Recorder::new();
    let tracer = recorder.tracing().get_tracer(None, "test", None);
    let parent = recorder.parent();
    let attached = parent.clone().attach();
    let foreign = Arc::new(Foreign);
    let span = tracer.start_span_with_parent("GET".into(), AzureKind::Client, vec![], foreign);
    span.end();
    drop(attached);
    assert_eq!(recorder.span("GET").parent_span_id, active(&parent));
}

/// A span of another implementation.
struct Foreign;

impl azure_core::tracing::AsAny for Foreign {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

impl azure_core::tracing::Span for Foreign {
    fn is_recording(&self) -> bool {
        true
    }

    fn span_id(&self) -> [u8; 8] {
        [1; 8]
    }

    fn end(&self) {}

    fn set_status(&self, _: azure_core::tracing::SpanStatus) {}

    fn set_attribute(&self, _: &'static str, _: azure_core::tracing::AttributeValue) {}

    fn record_error(&self, _: &dyn std::error::Error) {}

    fn set_current(
        &self,
        _: &azure_core::http::Context<'_>,
    ) -> Box<dyn azure_core::tracing::SpanGuard> {
        unreachable!("nothing makes it current")
    }

    fn propagate_headers(&self, _: &mut azure_core::http::Request) {}
}

#[test]
fn a_span_is_active_while_it_is_current_and_ends_once() {
    let recorder = Recorder::new();
    let tracer = recorder
        .tracing()
        .get_tracer(Some("Storage.Blob"), "test", Some("1.0.0"));
    assert_eq!(tracer.namespace(), Some("Storage.Blob"));
    let span = tracer.start_span("call".into(), AzureKind::Internal, vec![]);
    let current = span.set_current(&azure_core::http::Context::new());
    let id = SpanId::from_bytes(span.span_id());
    assert_eq!(active(&Context::current()), id);
    drop(current);
    assert_eq!(active(&Context::current()), SpanId::INVALID);
    span.record_error(&std::io::Error::other("no http://h/?sig=hunter2"));
    span.end();
    span.end();
    drop(span);
    let span = recorder.span("call");
    let event = &span.events.events[0];
    assert_eq!(event.name, "exception");
    assert_eq!(event.attributes[0].value.as_str(), "no http://h/?REDACTED");
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
}

#[test]
fn what_is_printed_of_the_provider_is_short() {
    assert_eq!(
        format!("{:?}", AzureTracing::new()),
        "AzureTracing { is_global: true, missing_is_success: false }"
    );
}
