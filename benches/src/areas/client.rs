//! Calls to other services.

use async_trait::async_trait;
use azmon_reqwest::TraceMiddleware;
use http::Extensions;
use opentelemetry::trace::{TraceContextExt, Tracer};
use opentelemetry::{Context, ContextGuard, global};
use reqwest::{Request, Response, ResponseBuilderExt, Url};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};

use crate::fixtures::{Backend, Nowhere, Pipeline, Stock, now};
use crate::{Area, Bound, Case, Method, Quantity, Target, Workload};

/// The case without a middleware, which is the reference of all others.
pub const REFERENCE: &str = "client/bare";

/// The group of recorded calls.
pub const RECORDED: &str = "recorded";
/// The group of calls in a request that is not recorded.
pub const UNSAMPLED: &str = "unsampled";

const URL: &str = "http://orders.example.com:8080/orders/7?page=2";

/// The area without peers.
#[must_use]
pub fn area() -> Area {
    Area {
        name: "client",
        title: "Client: a call by reqwest",
        unit: "call",
        about: "`reqwest-middleware` sends a `GET` with one header and a query inside a span, and reads the body. The \
                last middleware responds at once; nothing reaches the network.",
        method: Method::Rounds { operations: 400 },
        cases: cases(),
        targets: targets(),
        notes: None,
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![Case::bare(REFERENCE, "bare reqwest-middleware", || {
        Calls::bare(Nowhere, client())
    })];
    cases.push(
        Case::nothing("client/nothing", "a middleware that does nothing", || {
            Calls::bare(Nowhere, client().with(Nothing))
        })
        .above(REFERENCE),
    );
    cases.extend(azmon().into_iter().map(|case| case.above(REFERENCE)));
    cases
}

fn azmon() -> Vec<Case> {
    vec![
        Case::azmon("client/azmon/recorded", "azmon-reqwest", || {
            Calls::within_span(Pipeline::start(), client().with(traces()))
        })
        .group(RECORDED)
        .records(1),
        Case::azmon(
            "client/azmon/headers",
            "azmon-reqwest, `end_at_headers()`",
            || Calls::within_span(Pipeline::start(), client().with(traces().end_at_headers())),
        )
        .group(RECORDED)
        .records(1)
        .remark("like reqwest-tracing: the span ends before the body"),
        Case::azmon("client/azmon/stock", "azmon-reqwest alone", || {
            Calls::within_span(Stock::start(), client().with(traces()))
        })
        .group(RECORDED)
        .records(1)
        .remark("with OpenTelemetry's batch processor, like the peers"),
        Case::azmon("client/azmon/metrics", "azmon-reqwest and metrics", || {
            Calls::within_span(Pipeline::start(), client().with(middleware()))
        })
        .records(1)
        .remark("with the default settings"),
        Case::azmon("client/azmon/unsampled", "azmon-reqwest, unsampled", || {
            let pipeline = Pipeline::uncounted(|builder| builder.sampling_ratio(0.0));
            Calls::within_span(pipeline, client().with(traces()))
        })
        .group(UNSAMPLED)
        .records(0),
        Case::azmon("client/azmon/excluded", "azmon-reqwest, excluded", || {
            let middleware = middleware().exclude_hosts(["orders.example.com"]);
            Calls::within_span(Pipeline::start(), client().with(middleware))
        })
        .records(0),
        Case::azmon(
            "client/azmon/no-provider",
            "azmon-reqwest, no provider",
            || Calls::bare(Nowhere, client().with(middleware())),
        ),
    ]
}

/// The default middleware, independent of the environment.
fn middleware() -> TraceMiddleware {
    TraceMiddleware::with_environment(|_| None)
}

/// Without metrics, like the peers.
fn traces() -> TraceMiddleware {
    middleware().metrics(false)
}

fn targets() -> Vec<Target> {
    use Bound::{AtMost, OfPeer};
    use Quantity::{Allocations, Time};
    vec![
        Target::new("client/azmon/recorded", Time, OfPeer(0.25)),
        Target::new("client/azmon/recorded", Allocations, AtMost(9.0)),
    ]
}

/// A client, to which a middleware can be added.
#[must_use]
#[expect(
    clippy::unwrap_used,
    reason = "without a client nothing can be measured"
)]
pub fn client() -> ClientBuilder {
    let client = reqwest::Client::builder().no_proxy().build();
    ClientBuilder::new(client.unwrap())
}

/// Calls of a client.
#[derive(Debug)]
pub struct Calls<B, S = ()> {
    client: ClientWithMiddleware,
    backend: B,
    /// Keeps the span of the calls active.
    _span: S,
}

impl<B> Calls<B> {
    /// Calls outside a span, with this client and a last middleware that responds at once.
    pub fn bare(backend: B, client: ClientBuilder) -> Self {
        Self::within(backend, client, ())
    }
}

impl<B> Calls<B, ContextGuard> {
    /// Calls inside a span of the global provider that does not end.
    pub fn within_span(backend: B, client: ClientBuilder) -> Self {
        let parent = global::tracer("benches").start("parent");
        let span = Context::new().with_span(parent).attach();
        Self::within(backend, client, span)
    }
}

impl<B, S> Calls<B, S> {
    /// Calls while `span` is held.
    pub fn within(backend: B, client: ClientBuilder, span: S) -> Self {
        Self {
            client: client.with(Answer).build(),
            backend,
            _span: span,
        }
    }
}

impl<B: Backend, S> Workload for Calls<B, S> {
    fn run(&mut self, operations: u64) {
        for _ in 0..operations {
            now(call(&self.client));
        }
    }

    fn backend(&self) -> &dyn Backend {
        &self.backend
    }
}

#[expect(
    clippy::unwrap_used,
    reason = "a call that fails is another than the one to be measured"
)]
async fn call(client: &ClientWithMiddleware) {
    let response = client.get(URL).header("accept", "*/*").send().await;
    let body = response.unwrap().bytes().await;
    assert_eq!(body.unwrap(), "hello");
}

/// Responds instead of the network.
#[derive(Debug)]
struct Answer;

/// A middleware that only calls the next one.
#[derive(Debug)]
struct Nothing;

#[async_trait]
impl Middleware for Answer {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        let url = request.url().clone();
        Ok(answer(url))
    }
}

#[expect(clippy::unwrap_used, reason = "the response is written here")]
fn answer(url: Url) -> Response {
    let response = http::Response::builder()
        .url(url)
        .header("content-type", "text/plain")
        .body("hello");
    Response::from(response.unwrap())
}

#[async_trait]
impl Middleware for Nothing {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        next.run(request, extensions).await
    }
}
