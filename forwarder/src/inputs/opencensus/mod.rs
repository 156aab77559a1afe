//! OpenCensus: the agent's gRPC services for traces, configuration and metrics.
//!
//! Spans become what LocalForwarder made of them, through [`azmon::mapping`] and better in these ways: every
//! item succeeded or failed, numbers keep their fraction, ports stay in targets, links are those that Azure's
//! portal follows, ids are bare and join those of other SDKs, in-process spans and databases have a type,
//! errors of an integration become exceptions, and call stacks are kept.
//!
//! | OpenCensus | Application Insights |
//! |---|---|
//! | kind | attribute `span.kind` (`client`: dependency; another value: request), else the kind; without one a request if the parent is in another process, else a dependency in process |
//! | status | a code other than 0: failure; else by the HTTP status; a message is the property `statusDescription` |
//! | result code | `http.status_code`, else the status code |
//! | name | `METHOD http.route`, `METHOD http.path`, else the span's |
//! | `url`, `data` | `http.url`, else composed of `http.host`, `http.port` and `http.path` |
//! | target | the host with its port of `http.url` or `http.host` |
//! | annotations, message events | messages of the span |
//! | links | `_MS.links`, and properties `link0_type`, `link0_…` for what else they say |
//! | attribute `error` | `true`: failure |
//! | `error.name`, `error.message`, `stacktrace` | an exception of the span |
//! | other attributes, entries of the tracestate | properties |
//! | node | role: the service's name; instance: `host.pid`; SDK: `lf_python-oc:0.11.4` |
//!
//! Calls to Application Insights itself are left out. Cumulative metrics become what was added.
//!
//! A stream is answered when its client closes it. A message without a node has that of the stream, and else
//! the last one of its connection.

mod metrics;
mod node;
mod services;
mod spans;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::mapping::MappingOptions;

use self::node::Nodes;
use crate::inputs::delta::Deltas;
use crate::inputs::names::OperationNames;
use crate::inputs::{Budget, InputStatistics, Limits};
use crate::sink::{Batch, Delivery, Protocol, Refusal, Sink};

/// How often a refused delivery is tried again, after the sink's pauses: a client has no other way to learn
/// of it than a stream that stands still.
const ATTEMPTS: u32 = 10;
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Settings of an [`OpenCensusInput`].
#[derive(Debug, Clone)]
pub struct OpenCensusOptions {
    instrumentation_key: String,
    mapping: MappingOptions,
    limits: Limits,
    budget: Option<Budget>,
    node_events: bool,
    started: SystemTime,
}

impl Default for OpenCensusOptions {
    fn default() -> Self {
        Self {
            instrumentation_key: String::new(),
            mapping: MappingOptions::default(),
            limits: Limits::default(),
            budget: None,
            node_events: false,
            started: SystemTime::now(),
        }
    }
}

impl OpenCensusOptions {
    /// Sets the instrumentation key of all items. Defaults to an empty one: the sink decides.
    #[must_use]
    pub fn instrumentation_key(mut self, key: impl Into<String>) -> Self {
        self.instrumentation_key = key.into();
        self
    }

    /// Sets how spans become Application Insights' items.
    #[must_use]
    pub fn mapping(mut self, options: MappingOptions) -> Self {
        self.mapping = options;
        self
    }

    /// Sets how much is taken at once.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Shares the bound on bytes under way with other inputs. Defaults to one of its own.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sets whether every message with a node makes a custom event that describes the node, as LocalForwarder
    /// did. Defaults to `false`: some clients send a node with every span.
    #[must_use]
    pub fn node_events(mut self, events: bool) -> Self {
        self.node_events = events;
        self
    }

    /// Sets the time since which totals of metrics are counted. Defaults to the time at which the options
    /// were made.
    #[must_use]
    pub fn started(mut self, time: SystemTime) -> Self {
        self.started = time;
        self
    }
}

/// Receives OpenCensus.
#[derive(Debug, Clone)]
pub struct OpenCensusInput {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    sink: Arc<dyn Sink>,
    limits: Limits,
    budget: Budget,
    nodes: Nodes,
    names: OperationNames,
    deltas: Deltas,
    statistics: InputStatistics,
    node_events: bool,
}

impl OpenCensusInput {
    /// Makes an input that delivers to `sink`.
    #[must_use]
    pub fn new(sink: Arc<dyn Sink>, options: OpenCensusOptions) -> Self {
        let OpenCensusOptions {
            instrumentation_key,
            mapping,
            limits,
            budget,
            node_events,
            started,
        } = options;
        Self {
            shared: Arc::new(Shared {
                sink,
                limits,
                budget: budget.unwrap_or_else(|| Budget::new(limits.in_flight_bytes)),
                nodes: Nodes::new(instrumentation_key, mapping),
                names: OperationNames::default(),
                deltas: Deltas::new(started),
                statistics: InputStatistics::default(),
                node_events,
            }),
        }
    }

    /// The agent's services, for [`serve_grpc`](crate::inputs::serve_grpc).
    #[must_use]
    pub fn grpc_routes(&self) -> tonic::service::Routes {
        services::routes(&self.shared)
    }

    /// The bound on bytes under way, for [`serve_grpc`](crate::inputs::serve_grpc).
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// What the input has counted.
    #[must_use]
    pub fn statistics(&self) -> &InputStatistics {
        &self.shared.statistics
    }
}

impl Shared {
    /// Delivers a message's items, and waits while the sink has no room. `rejected` items could not be read.
    async fn deliver(&self, batch: Batch, rejected: u64) -> Result<(), Refusal> {
        if batch.items.is_empty() {
            self.statistics.batch_received(0, rejected);
            return Ok(());
        }
        let items = batch.items.len() as u64;
        let delivery = Delivery::new(Protocol::OpenCensus, vec![batch]);
        let mut attempt = 1;
        loop {
            match self.sink.deliver(delivery.clone()).await {
                Ok(accepted) => {
                    let kept = items.saturating_sub(accepted.rejected);
                    self.statistics
                        .batch_received(kept, rejected + accepted.rejected);
                    return Ok(());
                }
                Err(refusal) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(refusal.retry_after().min(LONGEST_PAUSE)).await;
                }
                Err(refusal) => {
                    self.statistics.batch_failed();
                    return Err(refusal);
                }
            }
        }
    }
}

/// The other side of a connection; `None` where it has no address.
type Peer = Option<SocketAddr>;
