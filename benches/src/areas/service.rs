//! Requests to a server over its socket: the cost in a real service.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use azmon::Telemetry;
use azmon_reqwest::TraceMiddleware;
use azmon_sqlx::TraceOptions;
use azmon_tower::ServerLayer;
use reqwest::Url;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor, Sqlite, SqlitePool};
use tower::layer::util::Identity;
use tracing_subscriber::layer::SubscriberExt;

use crate::fixtures::{Nowhere, Pipeline, Routers, Server};
use crate::measure::Load;
use crate::measure::service::{OTHER_INSTRUCTIONS, REQUEST_INSTRUCTIONS, REQUEST_MISSES};
use crate::{Area, Bound, Case, Method, Quantity, Target};

/// The group of requests with spans and metrics.
pub const METRICS: &str = "with metrics";
/// The group of requests with spans only.
pub const TRACES: &str = "traces only";
/// The group of a service that queries a database, calls another service and logs.
pub const ALL: &str = "all";
/// The group of outgoing calls.
pub const CALL: &str = "call";

/// The case of a layer that does nothing.
const NOTHING: &str = "service/nothing";
const RECORDED: &str = "service/azmon/recorded";
const SAMPLED: &str = "service/azmon/sampled";
const EXCLUDED: &str = "service/azmon/excluded";
const ALL_OF_AZMON: &str = "service/azmon/all";
const CALL_OF_AZMON: &str = "service/azmon/call";

/// The area, without peers.
#[must_use]
pub fn area() -> Area {
    Area {
        name: "service",
        title: "Service: a request to a real server",
        unit: "request",
        about: "A server of axum 0.8 on two threads, each with its own processor, answers `GET /users/7` over a socket \
                of this machine: 8 connections send 5,000 requests a second in total, independent of the response \
                times; every request has the `traceparent` of another trace and the user agent of a browser. The cost \
                is the processor time of all threads above the same route without instrumentation in the same process. \
                Blocks of 40 ms with and without instrumentation alternate; at the end of a round of ten pairs all \
                telemetry is delivered to a receiver in another process, which counts it: a run that loses an item \
                fails. The figures are trimmed means of the rounds, over eight processes. Callgrind counts \
                instructions and misses of an instruction cache of 32 KiB, above the same route. Latency is the added \
                time at this percentile, from the moment at which a request is due. × peer is the median of the ratios \
                within a round: for requests, to the overhead of opentelemetry-instrumentation-tower with OTLP and \
                metrics; the reference of excluded requests is a layer that does nothing.",
        method: Method::Service {
            load: Load {
                connections: 8,
                rate: 5_000,
            },
            block: Duration::from_millis(40),
        },
        cases: cases(),
        targets: targets(),
        notes: Some(include_str!("../../notes/service.md")),
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![Case::nothing(NOTHING, "a layer that does nothing", || {
        Server::start(
            |_| Nowhere,
            async |_| routers(router().layer(Identity::new())),
        )
    })];
    cases.extend(requests());
    cases.extend(services());
    cases
}

fn requests() -> Vec<Case> {
    vec![
        Case::azmon(RECORDED, "azmon-tower", || {
            Server::start(default, async |_| routers(router().layer(layer())))
        })
        .group(METRICS)
        .records(1)
        .counts_requests()
        .remark("with the default settings")
        .headline("a request to axum, with its metrics"),
        Case::azmon("service/azmon/traces", "azmon-tower, traces only", || {
            Server::start(traces, async |_| {
                routers(router().layer(layer().metrics(false)))
            })
        })
        .group(TRACES)
        .records(1)
        .headline("… without metrics"),
        Case::azmon(SAMPLED, "azmon-tower, 1 % sampled", || {
            Server::start(
                |receiver| Pipeline::remote(receiver, |builder| builder.sampling_ratio(0.01)),
                async |_| routers(router().layer(layer())),
            )
        })
        .group(METRICS)
        .counts_requests()
        .remark("every request is counted")
        .headline("… of which 1 % is sampled, and all are counted"),
        Case::azmon(
            "service/azmon/sampled-traces",
            "azmon-tower, 1 % sampled, traces only",
            || {
                let uncounted = |receiver| {
                    Pipeline::remote(receiver, |builder| uncounted(builder).sampling_ratio(0.01))
                };
                Server::start(uncounted, async |_| {
                    routers(router().layer(layer().metrics(false)))
                })
            },
        )
        .group(TRACES),
        Case::azmon(EXCLUDED, "azmon-tower, excluded", || {
            Server::start(default, async |_| {
                routers(router().layer(layer().exclude_paths(["/users"])))
            })
        })
        .group(METRICS)
        .above(NOTHING)
        .records(0)
        .remark("its ids are propagated")
        .headline("… that is excluded"),
    ]
}

fn services() -> Vec<Case> {
    vec![
        Case::azmon(CALL_OF_AZMON, "azmon-reqwest, one call", || {
            Server::start(default, async |called| {
                let traced = client().with(TraceMiddleware::with_environment(|_| None));
                Routers {
                    bare: calls(client(), called),
                    layered: calls(traced, called),
                }
            })
        })
        .group(CALL)
        .records(1)
        .headline("a call by reqwest, in the same service"),
        Case::azmon(
            ALL_OF_AZMON,
            "azmon, a request with a query, a call and two log records",
            || {
                Server::start(logging, async |called| {
                    let pool = azmon_sqlx::SqlitePool::new(pool().await, TraceOptions::new());
                    let traced = client().with(TraceMiddleware::with_environment(|_| None));
                    Routers {
                        bare: does_all(bare_pool().await, client(), called, false),
                        layered: does_all(Pool(pool), traced, called, true).layer(layer()),
                    }
                })
            },
        )
        .group(ALL)
        .records(3)
        .logs(2)
        .counts_requests()
        .headline("… with a query, a call and two log records"),
    ]
}

fn targets() -> Vec<Target> {
    use Bound::{AtMost, OfPeer};
    use Quantity::{Figure, Time};
    vec![
        Target::new(RECORDED, Time, OfPeer(0.35)),
        Target::new(RECORDED, Figure(REQUEST_INSTRUCTIONS), AtMost(4_500.0)),
        Target::new(RECORDED, Figure(REQUEST_MISSES), AtMost(320.0)),
        Target::new(RECORDED, Figure(OTHER_INSTRUCTIONS), AtMost(14_000.0)),
        Target::new(SAMPLED, Time, OfPeer(0.15)),
        Target::new(EXCLUDED, Time, OfPeer(0.01)),
        Target::new(CALL_OF_AZMON, Time, OfPeer(0.3)),
    ]
}

/// The default layer, independent of the environment.
fn layer() -> ServerLayer {
    ServerLayer::with_environment(|_| None)
}

fn default(receiver: SocketAddr) -> Pipeline {
    Pipeline::remote(receiver, |builder| builder)
}

fn traces(receiver: SocketAddr) -> Pipeline {
    Pipeline::remote(receiver, uncounted)
}

fn uncounted(builder: azmon::TelemetryBuilder) -> azmon::TelemetryBuilder {
    builder.standard_metrics(false).performance_counters(false)
}

/// With a subscriber that converts events of `tracing` to log records.
fn logging(receiver: SocketAddr) -> Pipeline {
    let pipeline = default(receiver);
    subscribe(pipeline.telemetry());
    pipeline
}

#[expect(
    clippy::expect_used,
    reason = "without log records another case is measured"
)]
fn subscribe(telemetry: &Telemetry) {
    let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer());
    tracing::subscriber::set_global_default(subscriber).expect("there is no other subscriber");
}

/// The router, before any layer.
pub fn router() -> Router {
    Router::new().route("/users/{id}", get(|| async { "a user of twenty-three." }))
}

/// A router with a layer, next to the one without.
#[must_use]
pub fn routers(layered: Router) -> Routers {
    Routers {
        bare: router(),
        layered,
    }
}

/// A client, to which a middleware can be added.
///
/// # Panics
///
/// If the client cannot be set up.
#[must_use]
#[expect(
    clippy::unwrap_used,
    reason = "without a client nothing can be measured"
)]
pub fn client() -> ClientBuilder {
    ClientBuilder::new(reqwest::Client::builder().no_proxy().build().unwrap())
}

/// A service that calls another one for each request.
pub fn calls(client: ClientBuilder, called: SocketAddr) -> Router {
    let state = (client.build(), orders(called));
    let answer = async |State((client, orders)): State<(ClientWithMiddleware, Url)>| {
        call(&client, orders).await
    };
    Router::new()
        .route("/users/{id}", get(answer))
        .with_state(state)
}

/// A service that queries a database, calls another service, and optionally writes two log records for each request.
pub fn does_all<P: Ask>(pool: P, client: ClientBuilder, called: SocketAddr, logs: bool) -> Router {
    let state = (pool, client.build(), orders(called));
    let answer =
        async move |State((pool, client, orders)): State<(P, ClientWithMiddleware, Url)>| {
            if logs {
                tracing::info!(user = 7, "a user is looked for");
            }
            pool.ask().await;
            let body = call(&client, orders).await;
            if logs {
                tracing::info!(user = 7, "a user was found");
            }
            body
        };
    Router::new()
        .route("/users/{id}", get(answer))
        .with_state(state)
}

/// A pool of connections of any crate.
pub trait Ask: Clone + Send + Sync + 'static {
    /// Runs one query.
    fn ask(&self) -> impl Future<Output = ()> + Send;
}

/// A pool whose references execute.
#[derive(Debug, Clone)]
pub struct Pool<P>(pub P);

impl<P> Ask for Pool<P>
where
    P: Clone + Send + Sync + 'static,
    for<'a> &'a P: Executor<'a, Database = Sqlite>,
{
    #[expect(clippy::unwrap_used, reason = "a query that fails measures nothing")]
    async fn ask(&self) {
        sqlx::query(QUERY).fetch_one(&self.0).await.unwrap();
    }
}

const QUERY: &str = "SELECT id, name FROM users WHERE id = 7";

async fn bare_pool() -> Pool<SqlitePool> {
    Pool(pool().await)
}

/// Opens a pool of connections to one database in memory.
///
/// # Panics
///
/// If SQLite cannot open it.
#[expect(clippy::unwrap_used, reason = "without a pool nothing can be measured")]
pub async fn pool() -> SqlitePool {
    // The database ends with its connection. A ping would be another query.
    let options = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false);
    let pool = options.connect("sqlite::memory:").await.unwrap();
    let table =
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (7, 'x')";
    pool.execute(table).await.unwrap();
    pool
}

#[expect(clippy::unwrap_used, reason = "the URL is written here")]
fn orders(called: SocketAddr) -> Url {
    format!("http://{called}/orders/7").parse().unwrap()
}

#[expect(
    clippy::unwrap_used,
    reason = "a call that fails is another than the one to be measured"
)]
async fn call(client: &ClientWithMiddleware, url: Url) -> String {
    let response = client.get(url).send().await.unwrap();
    response.text().await.unwrap()
}
