//! Requests that an axum router answers.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get;
use azmon_tower::ServerLayer;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower::layer::util::Identity;

use crate::fixtures::{Backend, Nowhere, Pipeline, Stock, now};
use crate::{Area, Bound, Case, Method, Quantity, Target, Workload};

/// The header of a sampled caller.
pub const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// The header of an unsampled caller.
pub const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// The case with a layer that does nothing, which is the reference of all others.
pub const REFERENCE: &str = "server/nothing";

/// The group of recorded requests without metrics.
pub const RECORDED: &str = "recorded";
/// The group of recorded requests with metrics.
pub const METRICS: &str = "recorded with metrics";
/// The group of requests with an unsampled caller.
pub const UNSAMPLED_PARENT: &str = "parent unsampled";
/// The group of requests that the caller samples and this service does not.
pub const SAMPLED_OUT: &str = "sampled out";
/// The group of requests that are excluded by their path.
pub const EXCLUDED: &str = "excluded";

/// The area without peers.
#[must_use]
pub fn area() -> Area {
    Area {
        name: "server",
        title: "Server: a request",
        unit: "request",
        about: "axum 0.8 answers `GET /users/7` by the route `/users/{id}`, in process, from the call of the router \
                to the end of the body. The request has the headers of a browser and a `traceparent`, and is made \
                before the measurement. The reference is a layer that does nothing, since axum boxes every route \
                again behind any layer.",
        method: Method::Rounds { operations: 400 },
        cases: cases(),
        targets: targets(),
        notes: None,
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::bare("server/bare", "bare axum", || {
            Exchanges::new(Nowhere, router(), SAMPLED)
        }),
        Case::nothing(REFERENCE, "a layer that does nothing", || {
            Exchanges::new(Nowhere, router().layer(Identity::new()), SAMPLED)
        })
        .above("server/bare"),
    ];
    cases.extend(azmon().into_iter().map(|case| case.above(REFERENCE)));
    cases.extend(watched());
    cases
}

fn azmon() -> Vec<Case> {
    let mut cases = recorded();
    cases.extend(unsampled());
    cases.extend(unseen());
    cases
}

fn recorded() -> Vec<Case> {
    vec![
        Case::azmon("server/azmon/recorded", "azmon-tower", || {
            Exchanges::new(Pipeline::start(), router().layer(traces()), SAMPLED)
        })
        .group(RECORDED)
        .records(1),
        Case::azmon(
            "server/azmon/axum-body",
            "azmon-tower, `axum_body()`",
            || {
                Exchanges::new(
                    Pipeline::start(),
                    router().layer(traces().axum_body()),
                    SAMPLED,
                )
            },
        )
        .group(RECORDED)
        .records(1),
        Case::azmon("server/azmon/stock", "azmon-tower alone", || {
            Exchanges::new(Stock::start(), router().layer(traces()), SAMPLED)
        })
        .group(RECORDED)
        .records(1)
        .remark("with OpenTelemetry's batch processor, like the peers"),
        Case::azmon("server/azmon/metrics", "azmon-tower and metrics", || {
            Exchanges::new(Pipeline::start(), router().layer(layer()), SAMPLED)
        })
        .group(METRICS)
        .records(1)
        .remark("with the default settings"),
    ]
}

fn unsampled() -> Vec<Case> {
    vec![
        Case::azmon(
            "server/azmon/unsampled",
            "azmon-tower, parent unsampled",
            || {
                let pipeline = Pipeline::uncounted(|builder| builder.follow_remote_parent(true));
                Exchanges::new(pipeline, router().layer(traces()), UNSAMPLED)
            },
        )
        .group(UNSAMPLED_PARENT)
        .records(0),
        Case::azmon("server/azmon/dropped", "azmon-tower, sampled out", || {
            let pipeline = Pipeline::uncounted(|builder| builder.sampling_ratio(0.0));
            Exchanges::new(pipeline, router().layer(traces()), SAMPLED)
        })
        .group(SAMPLED_OUT)
        .records(0),
        Case::azmon(
            "server/azmon/counted",
            "azmon-tower, sampled out but counted",
            || {
                let pipeline = Pipeline::with(|builder| builder.sampling_ratio(0.0));
                Exchanges::new(pipeline, router().layer(traces()), SAMPLED)
            },
        )
        .records(0)
        .remark("for the standard metrics of Azure Monitor; the default"),
    ]
}

/// The cost of a subscription to Live Metrics, above the same case without one.
fn watched() -> Vec<Case> {
    vec![
        Case::azmon(
            "server/azmon/watched",
            "azmon-tower, live metrics watched",
            || {
                let pipeline = Pipeline::watched(|builder| builder);
                Exchanges::new(pipeline, router().layer(traces()), SAMPLED)
            },
        )
        .records(1)
        .above("server/azmon/recorded")
        .remark("above the same case without it"),
        Case::azmon(
            "server/azmon/watched-counted",
            "azmon-tower, sampled out, live metrics watched",
            || {
                let pipeline = Pipeline::watched(|builder| builder.sampling_ratio(0.0));
                Exchanges::new(pipeline, router().layer(traces()), SAMPLED)
            },
        )
        .records(0)
        .above("server/azmon/counted")
        .remark("above the same case without it"),
    ]
}

fn unseen() -> Vec<Case> {
    vec![
        Case::azmon("server/azmon/excluded", "azmon-tower, excluded", || {
            let layer = layer().exclude_paths(["/users"]).axum_body();
            Exchanges::new(Pipeline::start(), router().layer(layer), SAMPLED)
        })
        .group(EXCLUDED)
        .records(0)
        .remark("`axum_body()`; its ids are propagated"),
        Case::azmon(
            "server/azmon/excluded-agent",
            "azmon-tower, excluded by its user agent",
            || {
                let agents = ["kube-probe", "glob:*bot*", "firefox"];
                let layer = layer().exclude_user_agents(agents).axum_body();
                Exchanges::new(Pipeline::start(), router().layer(layer), SAMPLED)
            },
        )
        .records(0)
        .remark("the third of three entries"),
        Case::azmon(
            "server/azmon/no-provider",
            "azmon-tower, no provider",
            || Exchanges::new(Nowhere, router().layer(layer().axum_body()), SAMPLED),
        )
        .remark("`axum_body()`"),
    ]
}

/// The default layer, independent of the environment.
fn layer() -> ServerLayer {
    ServerLayer::with_environment(|_| None)
}

/// Without metrics, like most peers.
fn traces() -> ServerLayer {
    layer().metrics(false)
}

fn targets() -> Vec<Target> {
    use Bound::{AtMost, OfPeer};
    use Quantity::{Allocations, Instructions, Time};
    vec![
        Target::new("server/azmon/recorded", Time, OfPeer(0.45)),
        Target::new("server/azmon/recorded", Allocations, AtMost(12.0)),
        Target::new("server/azmon/recorded", Instructions, AtMost(6_500.0)),
        Target::new("server/azmon/metrics", Time, OfPeer(0.6)),
        Target::new("server/azmon/watched", Time, AtMost(300.0)),
        Target::new("server/azmon/watched-counted", Time, AtMost(300.0)),
        Target::new("server/azmon/unsampled", Time, OfPeer(0.25)),
        Target::new("server/azmon/unsampled", Allocations, AtMost(4.0)),
        Target::new("server/azmon/dropped", Time, OfPeer(0.25)),
        Target::new("server/azmon/dropped", Allocations, AtMost(4.0)),
        // An excluded request has its own unsampled context, which propagates ids and records logs.
        Target::new("server/azmon/excluded", Time, AtMost(300.0)),
        Target::new("server/azmon/excluded", Allocations, AtMost(5.0)),
        Target::new("server/azmon/excluded-agent", Time, AtMost(700.0)),
    ]
}

/// The router without layers.
pub fn router() -> Router {
    Router::new().route("/users/{id}", get(|| async { "hello" }))
}

/// Requests to a router.
#[derive(Debug)]
pub struct Exchanges<B> {
    router: Router,
    traceparent: &'static str,
    backend: B,
    prepared: Vec<(Router, Request<Body>)>,
}

impl<B> Exchanges<B> {
    /// Sends requests to `router` with a browser's headers and a caller's `traceparent`. The backend comes first,
    /// since some layers look up the global provider when they are made.
    pub fn new(backend: B, router: Router, traceparent: &'static str) -> Self {
        Self {
            // As in `axum::serve`: with its state.
            router: router.with_state(()),
            traceparent,
            backend,
            prepared: Vec::new(),
        }
    }
}

impl<B: Backend> Workload for Exchanges<B> {
    fn prepare(&mut self, operations: u64) {
        let prepared = || (self.router.clone(), request(self.traceparent));
        self.prepared = (0..operations).map(|_| prepared()).collect();
    }

    fn run(&mut self, _: u64) {
        for (router, request) in self.prepared.drain(..) {
            now(exchange(router, request));
        }
    }

    fn backend(&self) -> &dyn Backend {
        &self.backend
    }
}

async fn exchange(router: Router, request: Request<Body>) {
    let response = router
        .oneshot(request)
        .await
        .unwrap_or_else(|never: Infallible| match never {});
    let mut body = response.into_body();
    while body.frame().await.is_some() {}
}

#[expect(clippy::unwrap_used, reason = "the request is written here")]
fn request(traceparent: &'static str) -> Request<Body> {
    let peer = SocketAddr::from(([192, 0, 2, 7], 4711));
    let mut request = Request::get("/users/7").extension(ConnectInfo(peer));
    for (name, value) in BROWSER {
        request = request.header(name, value);
    }
    request
        .header("traceparent", traceparent)
        .body(Body::empty())
        .unwrap()
}

const BROWSER: [(&str, &str); 8] = [
    ("host", "shop.example.com"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://shop.example.com/"),
    ("dnt", "1"),
    ("connection", "keep-alive"),
];
