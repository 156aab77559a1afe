//! Providers for one test, and servers.

use std::net::SocketAddr;

use axum::Router;
use azmon_reqwest::TraceMiddleware;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The telemetry of a test.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    pub(crate) provider: SdkTracerProvider,
    exporter: InMemorySpanExporter,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self::with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
    }

    pub(crate) fn with_sampler(sampler: Sampler) -> Self {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_simple_exporter(exporter.clone())
            .build();
        Self { provider, exporter }
    }

    /// A middleware without an environment, and without metrics unless a test adds a meter provider.
    pub(crate) fn middleware(&self) -> TraceMiddleware {
        TraceMiddleware::with_environment(|_| None).tracer_provider(&self.provider)
    }

    pub(crate) fn client(&self) -> ClientWithMiddleware {
        with(self.middleware())
    }

    /// The spans of calls and of their parents.
    pub(crate) fn all_spans(&self) -> Vec<SpanData> {
        self.exporter.get_finished_spans().unwrap()
    }

    /// The spans of calls.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        let mut spans = self.all_spans();
        spans.retain(is_call);
        spans
    }

    /// The span of the only call.
    #[track_caller]
    pub(crate) fn span(&self) -> SpanData {
        let mut spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }

    /// A context with a span that has not ended.
    pub(crate) fn parent(&self) -> Context {
        Context::new().with_span(self.provider.tracer("test").start("parent"))
    }
}

pub(crate) fn is_call(span: &SpanData) -> bool {
    span.instrumentation_scope.name() == "azmon-reqwest"
}

pub(crate) fn with(middleware: TraceMiddleware) -> ClientWithMiddleware {
    ClientBuilder::new(direct().build().unwrap())
        .with(middleware)
        .build()
}

/// A client without the proxies of the environment.
pub(crate) fn direct() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy()
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

/// Serves until the runtime of the test ends. The URL has no path.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    url(address)
}

/// Answers every connection with these bytes after its first request, and closes it.
pub(crate) async fn answer(bytes: &'static [u8]) -> String {
    converse(move |mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(bytes).await.unwrap();
    })
    .await
}

/// Passes each connection to `conversation`.
pub(crate) async fn converse<F, R>(conversation: F) -> String
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(conversation(stream));
        }
    });
    url(address)
}

pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Accepts connections, and never responds.
pub(crate) async fn silence() -> String {
    converse(|stream| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await
}

pub(crate) fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

pub(crate) fn port(url: &str) -> i64 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}
