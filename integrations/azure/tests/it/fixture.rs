//! Providers for one test, and a service without a network.

use std::fmt;
use std::num::NonZero;
use std::sync::{Arc, Mutex, Once};

use async_trait::async_trait;
use azmon_azure::{AzureTracing, propagate_context};
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, Transport, Url,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use opentelemetry::trace::{SpanId, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, Value, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};

/// An address with a secret. It is never called.
pub(crate) const CONTAINER: &str =
    "http://account.invalid:10000/account/demo?sv=2026-01-01&sig=hunter2";

/// The name of the caller's span.
const PARENT: &str = "parent";

/// The telemetry of a test.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    pub(crate) provider: SdkTracerProvider,
    exporter: InMemorySpanExporter,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        static PROCESS: Once = Once::new();
        PROCESS.call_once(|| {
            global::set_text_map_propagator(TraceContextPropagator::new());
            // The first SDK call of any test selects the SDK's runtime.
            propagate_context().unwrap();
        });
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .with_simple_exporter(exporter.clone())
            .build();
        Self { provider, exporter }
    }

    pub(crate) fn tracing(&self) -> AzureTracing {
        AzureTracing::new().tracer_provider(self.provider.clone())
    }

    /// Instrumented options without retries.
    pub(crate) fn options(&self, http_client: &Arc<impl HttpClient + 'static>) -> ClientOptions {
        let mut options = options(http_client);
        self.tracing().instrument(&mut options);
        options
    }

    /// An instrumented client of a container, with `service` as its transport.
    pub(crate) fn container(&self, service: &Arc<Service>) -> BlobContainerClient {
        container(CONTAINER, self.options(service))
    }

    /// The spans of the SDK.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        let mut spans = self.exporter.get_finished_spans().unwrap();
        spans.retain(|span| span.name != PARENT);
        spans
    }

    /// The spans of HTTP requests, in the order of their ends.
    pub(crate) fn requests(&self) -> Vec<SpanData> {
        let mut spans = self.spans();
        spans.retain(|span| span.span_kind == SpanKind::Client);
        spans
    }

    /// The span of the only HTTP request.
    #[track_caller]
    pub(crate) fn request(&self) -> SpanData {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.remove(0)
    }

    /// The only span of this name.
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> SpanData {
        let mut spans = self.spans();
        spans.retain(|span| span.name == name);
        assert_eq!(spans.len(), 1, "{name} in {:#?}", self.spans());
        spans.remove(0)
    }

    /// A context with a span that has not ended.
    pub(crate) fn parent(&self) -> Context {
        Context::new().with_span(self.provider.tracer("test").start(PARENT))
    }
}

/// Options without instrumentation and without retries.
pub(crate) fn options(http_client: &Arc<impl HttpClient + 'static>) -> ClientOptions {
    let http_client: Arc<dyn HttpClient> = http_client.clone();
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(http_client)),
        ..ClientOptions::default()
    }
}

pub(crate) fn container(url: &str, client_options: ClientOptions) -> BlobContainerClient {
    let options = BlobContainerClientOptions {
        client_options,
        ..BlobContainerClientOptions::default()
    };
    BlobContainerClient::new(Url::parse(url).unwrap(), None, Some(options)).unwrap()
}

pub(crate) fn at_most(number: usize) -> Option<NonZero<usize>> {
    NonZero::new(number)
}

type Answer = dyn Fn(&Request) -> Option<azure_core::Result<AsyncRawResponse>> + Send + Sync;

/// A transport that plays the service.
pub(crate) struct Service {
    answer: Box<Answer>,
    requests: Mutex<Vec<Request>>,
}

impl Service {
    /// Answers each request with `answer`. A request without an answer never completes.
    pub(crate) fn new<F>(answer: F) -> Arc<Self>
    where
        F: Fn(&Request) -> Option<azure_core::Result<AsyncRawResponse>> + Send + Sync + 'static,
    {
        Arc::new(Self {
            answer: Box::new(answer),
            requests: Mutex::default(),
        })
    }

    /// Answers every request with this status and a request id.
    pub(crate) fn of(status: StatusCode) -> Arc<Self> {
        Self::new(move |_| {
            Some(Ok(response(
                status,
                &[("x-ms-request-id", "request-7")],
                "",
            )))
        })
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

#[async_trait]
impl HttpClient for Service {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.requests.lock().unwrap().push(request.clone());
        match (self.answer)(request) {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

pub(crate) fn response(
    status: StatusCode,
    headers: &[(&'static str, &str)],
    body: impl Into<Vec<u8>>,
) -> AsyncRawResponse {
    let mut map = Headers::new();
    for (name, value) in headers {
        map.insert(*name, (*value).to_owned());
    }
    AsyncRawResponse::from_bytes(status, map, body.into())
}

pub(crate) fn header<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    request
        .headers()
        .get_optional_str(&HeaderName::from_static(name))
}

/// The `traceparent` of a sampled span.
pub(crate) fn traceparent(span: &SpanData) -> String {
    let context = &span.span_context;
    format!("00-{}-{}-01", context.trace_id(), context.span_id())
}

pub(crate) fn attribute(span: &SpanData, key: &str) -> Option<Value> {
    let mut found = span
        .attributes
        .iter()
        .filter(|attribute| attribute.key.as_str() == key);
    let value = found.next().map(|attribute| attribute.value.clone());
    assert_eq!(found.next(), None, "{key} is there twice");
    value
}

#[track_caller]
pub(crate) fn assert_attribute(span: &SpanData, key: &str, value: impl Into<Value>) {
    assert_eq!(
        attribute(span, key),
        Some(value.into()),
        "{key} in {span:#?}"
    );
}

#[track_caller]
pub(crate) fn assert_child(span: &SpanData, parent: &SpanData) {
    let parent = &parent.span_context;
    assert_eq!(span.span_context.trace_id(), parent.trace_id(), "{span:#?}");
    assert_eq!(span.parent_span_id, parent.span_id(), "{span:#?}");
}

pub(crate) fn active(context: &Context) -> SpanId {
    context.span().span_context().span_id()
}
