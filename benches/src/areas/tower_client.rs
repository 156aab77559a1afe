//! Calls to other services through a tower client.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use azmon_tower::ClientLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use opentelemetry::trace::{TraceContextExt, Tracer};
use opentelemetry::{ContextGuard, global};
use tower::layer::util::Identity;
use tower::{Layer, Service};

use crate::fixtures::{Backend, Nowhere, Pipeline, Stock, now};
use crate::{Area, Case, Method, Workload};

/// The case without a layer, which is the reference of all others.
const REFERENCE: &str = "tower-client/bare";

const URL: &str = "http://orders.example.com:8080/orders/7?page=2";

/// The area. No peer instruments a tower client.
#[must_use]
pub fn area() -> Area {
    Area {
        name: "tower-client",
        title: "Client: a call by a tower service",
        unit: "call",
        about: "A tower service that responds at once, called inside a span with a `GET` that was made before the \
                measurement, to the end of the body.",
        method: Method::Rounds { operations: 400 },
        cases: cases(),
        targets: Vec::new(),
        notes: None,
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![Case::bare(REFERENCE, "a bare service", || {
        Calls::new(Nowhere, Answer)
    })];
    let others = [
        Case::nothing("tower-client/nothing", "a layer that does nothing", || {
            Calls::new(Nowhere, Identity::new().layer(Answer))
        }),
        Case::azmon("tower-client/azmon/recorded", "azmon-tower", || {
            Calls::new(Pipeline::start(), traces().layer(Answer)).within_span()
        })
        .records(1),
        Case::azmon(
            "tower-client/azmon/headers",
            "azmon-tower, `end_at_headers()`",
            || {
                let service = traces().end_at_headers().layer(Answer);
                Calls::new(Pipeline::start(), service).within_span()
            },
        )
        .records(1),
        Case::azmon("tower-client/azmon/stock", "azmon-tower alone", || {
            Calls::new(Stock::start(), traces().layer(Answer)).within_span()
        })
        .records(1)
        .remark("with OpenTelemetry's batch processor"),
        Case::azmon(
            "tower-client/azmon/metrics",
            "azmon-tower and metrics",
            || Calls::new(Pipeline::start(), layer().layer(Answer)).within_span(),
        )
        .records(1)
        .remark("with the default settings"),
        Case::azmon(
            "tower-client/azmon/unsampled",
            "azmon-tower, unsampled",
            || {
                let pipeline = Pipeline::uncounted(|builder| builder.sampling_ratio(0.0));
                Calls::new(pipeline, traces().layer(Answer)).within_span()
            },
        )
        .records(0),
        Case::azmon(
            "tower-client/azmon/excluded",
            "azmon-tower, excluded",
            || {
                let layer = layer().exclude_hosts(["orders.example.com"]);
                Calls::new(Pipeline::start(), layer.layer(Answer)).within_span()
            },
        )
        .records(0),
        Case::azmon(
            "tower-client/azmon/no-provider",
            "azmon-tower, no provider",
            || Calls::new(Nowhere, layer().layer(Answer)),
        ),
    ];
    cases.extend(others.map(|case| case.above(REFERENCE)));
    cases
}

/// The default layer, independent of the environment.
fn layer() -> ClientLayer {
    ClientLayer::with_environment(|_| None)
}

/// Without metrics.
fn traces() -> ClientLayer {
    layer().metrics(false)
}

/// Calls to a service.
#[derive(Debug)]
struct Calls<S, B> {
    service: S,
    backend: B,
    span: Option<ContextGuard>,
    prepared: Vec<Request<Full<Bytes>>>,
}

impl<S, B> Calls<S, B> {
    fn new(backend: B, service: S) -> Self {
        Self {
            service,
            backend,
            span: None,
            prepared: Vec::new(),
        }
    }

    /// Calls inside a span of the global provider that does not end.
    fn within_span(mut self) -> Self {
        let parent = global::tracer("benches").start("parent");
        let context = opentelemetry::Context::new().with_span(parent);
        self.span = Some(context.attach());
        self
    }
}

impl<S, R, B> Workload for Calls<S, B>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error = Infallible>,
    R: http_body::Body<Data = Bytes> + Unpin,
    B: Backend,
{
    #[expect(clippy::unwrap_used, reason = "the request is written here")]
    fn prepare(&mut self, operations: u64) {
        let request = || {
            let request = Request::get(URL).header("accept", "*/*");
            request.body(Full::default()).unwrap()
        };
        self.prepared = (0..operations).map(|_| request()).collect();
    }

    fn run(&mut self, _: u64) {
        for request in self.prepared.drain(..) {
            now(call(&mut self.service, request));
        }
    }

    fn backend(&self) -> &dyn Backend {
        &self.backend
    }
}

async fn call<S, R>(service: &mut S, request: Request<Full<Bytes>>)
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error = Infallible>,
    R: http_body::Body<Data = Bytes> + Unpin,
{
    let response = service.call(request).await;
    let mut body = response
        .unwrap_or_else(|never: Infallible| match never {})
        .into_body();
    while body.frame().await.is_some() {}
}

/// Responds instead of the network.
#[derive(Debug, Clone, Copy)]
struct Answer;

impl Service<Request<Full<Bytes>>> for Answer {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok(Response::new(Full::from("hello"))))
    }
}
