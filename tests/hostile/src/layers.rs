//! The layers of azmon-tower and the middleware of azmon-reqwest, with every option enabled.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{self, Poll};

use azmon_reqwest::TraceMiddleware;
use azmon_tower::server::TrustedProxies;
use azmon_tower::{ClientLayer, ServerLayer, Settings};
use http::{Extensions, Request, Response};
use http_body::{Body, Frame, SizeHint};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tower::{Layer, Service, service_fn};

use super::Bytes;
use super::head::{self, SECRET};

/// The maximum length of a span name: a method and a route of the service.
const MAX_NAME: usize = 64;

/// Inspects ended spans.
#[derive(Debug, Clone, Default)]
struct Observer(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    spans: usize,
    faults: Vec<String>,
}

impl Observer {
    /// Returns the observations since the last call.
    fn take(&self) -> Seen {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut seen)
    }
}

impl SpanExporter for Observer {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for span in spans {
            seen.spans += 1;
            if span.name.len() > MAX_NAME {
                seen.faults.push(format!("a long name: {}", span.name));
            }
            for attribute in &span.attributes {
                let text = attribute.value.as_str();
                if text.contains(SECRET) {
                    seen.faults
                        .push(format!("a secret in {}: {text}", attribute.key));
                }
            }
        }
        Ok(())
    }
}

/// Layers that record to an observer, and to metrics that accumulate over all inputs.
struct Recorded {
    observer: Observer,
    server: ServerLayer,
    client: ClientLayer,
    middleware: TraceMiddleware,
}

/// One for each thread, so that tests do not see each other's spans.
fn recorded() -> Recorded {
    static METERS: LazyLock<SdkMeterProvider> = LazyLock::new(|| {
        let reader = PeriodicReader::builder(InMemoryMetricExporter::default());
        SdkMeterProvider::builder()
            .with_reader(reader.build())
            .build()
    });
    let observer = Observer::default();
    let tracers = SdkTracerProvider::builder()
        .with_simple_exporter(observer.clone())
        .build();
    let settings = Settings::new()
        .tracer_provider(&tracers)
        .meter_provider(&*METERS)
        .exclude_hosts(["*.internal", "[::1]:81", "glob:a?.**"])
        .cancellation_is_error(true)
        .propagate_only_to(["shop.test", "regex:^[a-z]+$"])
        .propagated_baggage(["k"])
        .url_templates(["/users/{id}", "/{*rest}"])
        .on_end(|_, _| {});
    Recorded {
        server: ServerLayer::with_environment(|_| None)
            .settings(settings.clone())
            .exclude_paths(["/health", "glob:/**/x", "regex:^/v[0-9]+$"])
            .exclude_user_agents(["kube-probe", "glob:*bot*", "regex:^probe"])
            .trusted_proxies(TrustedProxies::x_forwarded(2))
            .traceresponse(true),
        client: ClientLayer::with_environment(|_| None).settings(settings.clone()),
        middleware: TraceMiddleware::with_environment(|_| None).settings(settings),
        observer,
    }
}

thread_local! {
    static RECORDED: Recorded = recorded();
}

/// A body with arbitrary size hints.
#[derive(Debug, Clone, Default)]
struct Script {
    frames: Vec<u8>,
    hint: Option<u64>,
    knows_its_end: bool,
}

impl Script {
    fn of(bytes: &mut Bytes<'_>) -> Self {
        let hints = [None, Some(0), Some(5), Some(u64::MAX)];
        Self {
            frames: bytes.raw().to_vec(),
            hint: bytes.pick(&hints).flatten(),
            knows_its_end: bytes.below(2) == 0,
        }
    }
}

impl Body for Script {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, std::io::Error>>> {
        let Some(kind) = self.frames.pop() else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(match kind {
            0 => Err(std::io::ErrorKind::ConnectionReset.into()),
            1 => Ok(Frame::trailers(
                [("grpc-status".parse(), "13".parse())]
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.ok()?, value.ok()?)))
                    .collect(),
            )),
            length => Ok(Frame::data(vec![0; usize::from(length)].into())),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Runs an exchange, in which nothing waits.
fn run<F: Future>(future: F) -> Option<F::Output> {
    let mut cx = task::Context::from_waker(task::Waker::noop());
    match pin!(future).poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Reads some frames of a body, and drops it.
fn read<B: Body>(body: B, frames: usize) {
    let mut cx = task::Context::from_waker(task::Waker::noop());
    let mut body = pin!(body);
    for _ in 0..frames {
        if !matches!(body.as_mut().poll_frame(&mut cx), Poll::Ready(Some(_))) {
            break;
        }
    }
}

fn response(bytes: &mut Bytes<'_>) -> Response<Script> {
    let mut response = Response::new(Script::of(bytes));
    *response.status_mut() = head::status(bytes);
    *response.version_mut() = head::version(bytes);
    *response.headers_mut() = head::headers(bytes);
    response
}

fn request(bytes: &mut Bytes<'_>) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = head::method(bytes);
    *request.uri_mut() = head::uri(bytes);
    *request.version_mut() = head::version(bytes);
    *request.headers_mut() = head::headers(bytes);
    request
}

/// Fails if the exchange has more spans than `most`, or one of the known faults.
fn verdict(seen: Seen, most: usize) -> Result<(), String> {
    if seen.spans > most {
        return Err(format!("{} spans of {most} exchanges", seen.spans));
    }
    match seen.faults.into_iter().next() {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

/// Sends a request made of these bytes through the server layer.
///
/// # Errors
/// Describes the wrong telemetry of the layer.
pub fn request_head(bytes: &[u8]) -> Result<(), String> {
    let mut bytes = Bytes::new(bytes);
    let (request, response) = (request(&mut bytes), response(&mut bytes));
    let frames = bytes.below(40);
    RECORDED.with(|recorded| {
        let answer = service_fn(move |_: Request<()>| {
            std::future::ready(Ok::<_, Infallible>(response.clone()))
        });
        let mut service = recorded.server.layer(answer);
        if let Some(Ok(response)) = run(service.call(request)) {
            read(response.into_body(), frames);
        }
        verdict(recorded.observer.take(), 1)
    })
}

/// Answers with a response made of these bytes, through both clients.
///
/// # Errors
/// Describes the wrong telemetry of a client.
pub fn response_head(bytes: &[u8]) -> Result<(), String> {
    let mut bytes = Bytes::new(bytes);
    let (request, response) = (request(&mut bytes), response(&mut bytes));
    let frames = bytes.below(40);
    let url = request.uri().to_string();
    RECORDED.with(|recorded| {
        let canned = response.clone();
        let answer = service_fn(move |_: Request<()>| {
            std::future::ready(Ok::<_, Infallible>(canned.clone()))
        });
        let mut client = recorded.client.layer(answer);
        if let Some(Ok(response)) = run(client.call(request)) {
            read(response.into_body(), frames);
        }
        let client = with(recorded.middleware.clone(), response);
        if let Some(Ok(response)) = run(client.get(url).send()) {
            read(reqwest::Body::from(response), frames);
        }
        verdict(recorded.observer.take(), 2)
    })
}

/// Returns a response without a network.
struct Canned(Response<Script>);

impl Middleware for Canned {
    fn handle<'middleware, 'extensions, 'next, 'future>(
        &'middleware self,
        _: reqwest::Request,
        _: &'extensions mut Extensions,
        _: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = reqwest_middleware::Result<reqwest::Response>> + Send + 'future>>
    where
        'middleware: 'future,
        'extensions: 'future,
        'next: 'future,
        Self: 'future,
    {
        let response = self.0.clone().map(reqwest::Body::wrap);
        Box::pin(std::future::ready(Ok(response.into())))
    }
}

fn with(middleware: TraceMiddleware, response: Response<Script>) -> ClientWithMiddleware {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);
    ClientBuilder::new(CLIENT.clone())
        .with(middleware)
        .with(Canned(response))
        .build()
}
