//! OTLP: OpenTelemetry's own protocol, by gRPC and by HTTP, as protobuf and as JSON.
//!
//! What comes in becomes what azmon would have sent itself: spans, log records and data points go through
//! [`azmon::mapping`], with the resource that came with them. In addition:
//!
//! - Requests name the operation of the other spans and the log records of their trace and service.
//! - A sampling probability in the `tracestate` (`ot=th:…`) becomes the sample rate.
//! - Totals (cumulative temporality) of counters and histograms become what was added since the last
//!   message; those of up-down counters stay what they are.
//! - Spans without valid ids, and points without a value, are rejected: the answer's partial success says how
//!   many and why.

mod attributes;
mod grpc;
mod http;
mod logs;
mod metrics;
mod resource;
mod traces;

use std::sync::Arc;
use std::time::SystemTime;

use azmon::mapping::MappingOptions;

use self::resource::Resources;
use crate::inputs::budget::Held;
use crate::inputs::delta::Deltas;
use crate::inputs::names::OperationNames;
use crate::inputs::{Budget, InputStatistics, Limits};
use crate::sink::{Acceptance, Batch, Delivery, Protocol, Refusal, Sink};

/// Settings of an [`OtlpInput`].
#[derive(Debug, Clone)]
pub struct OtlpOptions {
    instrumentation_key: String,
    mapping: MappingOptions,
    limits: Limits,
    budget: Option<Budget>,
    statistics: InputStatistics,
    started: SystemTime,
}

impl Default for OtlpOptions {
    fn default() -> Self {
        Self {
            instrumentation_key: String::new(),
            mapping: MappingOptions::default(),
            limits: Limits::default(),
            budget: None,
            statistics: InputStatistics::default(),
            started: SystemTime::now(),
        }
    }
}

impl OtlpOptions {
    /// Sets the instrumentation key of all items. Defaults to an empty one: the sink decides.
    #[must_use]
    pub fn instrumentation_key(mut self, key: impl Into<String>) -> Self {
        self.instrumentation_key = key.into();
        self
    }

    /// Sets how OpenTelemetry's data become Application Insights'.
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

    /// Shares the bound on bytes under way with other inputs. Defaults to one of its own, of
    /// [`Limits::in_flight_bytes`].
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Counts together with another input.
    #[must_use]
    pub fn statistics(mut self, statistics: InputStatistics) -> Self {
        self.statistics = statistics;
        self
    }

    /// Sets the time since which totals are counted: the first total of a sender that has started earlier is
    /// not new. Defaults to the time at which the options were made.
    #[must_use]
    pub fn started(mut self, time: SystemTime) -> Self {
        self.started = time;
        self
    }
}

/// Receives OTLP.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
///
/// use azmon_forwarder::inputs::{Listener, OtlpInput, OtlpOptions, serve_http};
/// use azmon_forwarder::sink::Sink;
///
/// # async fn run(sink: Arc<dyn Sink>) -> std::io::Result<()> {
/// let input = OtlpInput::new(sink, OtlpOptions::default());
/// let listener = Listener::bind("127.0.0.1:4318", 1_024).await?;
/// serve_http(listener, input.http_router(), std::future::pending()).await
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct OtlpInput {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    sink: Arc<dyn Sink>,
    limits: Limits,
    budget: Budget,
    resources: Resources,
    names: OperationNames,
    deltas: Deltas,
    statistics: InputStatistics,
}

impl OtlpInput {
    /// Makes an input that delivers to `sink`.
    #[must_use]
    pub fn new(sink: Arc<dyn Sink>, options: OtlpOptions) -> Self {
        let OtlpOptions {
            instrumentation_key,
            mapping,
            limits,
            budget,
            statistics,
            started,
        } = options;
        Self {
            shared: Arc::new(Shared {
                sink,
                limits,
                budget: budget.unwrap_or_else(|| Budget::new(limits.in_flight_bytes)),
                resources: Resources::new(instrumentation_key, mapping),
                names: OperationNames::default(),
                deltas: Deltas::new(started),
                statistics,
            }),
        }
    }

    /// The routes of OTLP over HTTP: `POST /v1/traces`, `/v1/logs` and `/v1/metrics`, as
    /// `application/x-protobuf` and `application/json`.
    pub fn http_router(&self) -> axum::Router {
        http::router(self.shared.clone())
    }

    /// The services of OTLP over gRPC, for [`serve_grpc`](crate::inputs::serve_grpc).
    #[must_use]
    pub fn grpc_routes(&self) -> tonic::service::Routes {
        self.add_grpc_routes(tonic::service::Routes::default())
    }

    /// Adds the services of OTLP over gRPC to others, which then share a listener.
    #[must_use]
    pub fn add_grpc_routes(&self, routes: tonic::service::Routes) -> tonic::service::Routes {
        grpc::add(routes, &self.shared)
    }

    /// The bound on bytes under way, for [`serve_grpc`](crate::inputs::serve_grpc).
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// What the input has counted, gRPC and HTTP together.
    #[must_use]
    pub fn statistics(&self) -> &InputStatistics {
        &self.shared.statistics
    }
}

/// Most items of a message: the service's limit for a batch. A message of some bytes can hold very many.
const MOST_ITEMS: usize = 64_000;
/// The memory of a mapped item, roughly, as it counts for the budget.
const ITEM_BYTES: usize = 512;

/// Leaves out what is beyond the limit of a message.
#[derive(Debug)]
struct Room {
    left: usize,
    refused: usize,
}

impl Room {
    fn new() -> Self {
        Self {
            left: MOST_ITEMS,
            refused: 0,
        }
    }

    /// Shortens a list of items to what there is room for.
    fn keep<T>(&mut self, items: &mut Vec<T>) {
        let kept = items.len().min(self.left);
        self.refused += items.len() - kept;
        self.left -= kept;
        items.truncate(kept);
    }

    /// Takes the memory of the items from the budget, and says how many were left out.
    fn close(self, held: Option<&Held>) -> Result<Rejected, Refusal> {
        if let Some(held) = held {
            held.take((MOST_ITEMS - self.left) * ITEM_BYTES)?;
        }
        let mut rejected = Rejected::default();
        if self.refused > 0 {
            rejected.add("the message has more than 64,000 items");
            rejected.count = self.refused as u64;
        }
        Ok(rejected)
    }
}

/// What was read of a message.
#[derive(Debug)]
struct Read {
    batches: Vec<Batch>,
    rejected: Rejected,
}

/// Items that cannot be read: how many, and why the first of them.
#[derive(Debug, Default)]
struct Rejected {
    count: u64,
    reason: Option<&'static str>,
}

impl Rejected {
    fn add(&mut self, reason: &'static str) {
        self.count += 1;
        self.reason.get_or_insert(reason);
    }
}

impl Shared {
    /// Delivers what was read, and counts it.
    async fn deliver(&self, read: Result<Read, Refusal>) -> Result<Acceptance, Refusal> {
        let Read { batches, rejected } = match read {
            Ok(read) => read,
            Err(refusal) => {
                self.statistics.batch_failed();
                return Err(refusal);
            }
        };
        let delivery = Delivery::new(Protocol::Otlp, batches);
        let items = delivery.len() as u64;
        let accepted = match delivery.is_empty() {
            true => Ok(Acceptance::default()),
            false => self.sink.deliver(delivery).await,
        };
        match &accepted {
            Ok(accepted) => {
                let refused = rejected.count + accepted.rejected;
                let kept = items.saturating_sub(accepted.rejected);
                self.statistics.batch_received(kept, refused);
            }
            Err(_) => self.statistics.batch_failed(),
        }
        accepted.map(|accepted| Acceptance {
            rejected: accepted.rejected + rejected.count,
            message: match rejected.reason {
                Some(reason) if accepted.message.is_empty() => reason.to_owned(),
                Some(reason) => format!("{reason}; {}", accepted.message),
                None => accepted.message,
            },
        })
    }
}
