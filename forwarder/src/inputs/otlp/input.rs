use std::sync::Arc;
use std::time::SystemTime;

use azmon::mapping::MappingOptions;

use crate::inputs::delta::Deltas;
use crate::inputs::names::OperationNames;
use crate::inputs::otlp::resource::Resources;
use crate::inputs::otlp::shared::Shared;
use crate::inputs::otlp::{grpc, http};
use crate::inputs::{Budget, InputStatistics, Limits};
use crate::sink::Sink;

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
    /// Sets the instrumentation key of all items. Defaults to an empty key, for which the sink selects a
    /// destination.
    #[must_use]
    pub fn instrumentation_key(mut self, key: impl Into<String>) -> Self {
        self.instrumentation_key = key.into();
        self
    }

    /// Sets the mapping of OpenTelemetry data to Application Insights items.
    #[must_use]
    pub fn mapping(mut self, options: MappingOptions) -> Self {
        self.mapping = options;
        self
    }

    /// Sets the limits of the input.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the budget of bytes in flight, shared with other inputs. Defaults to a separate budget of
    /// [`Limits::in_flight_bytes`].
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Shares the counters of another input.
    #[must_use]
    pub fn statistics(mut self, statistics: InputStatistics) -> Self {
        self.statistics = statistics;
        self
    }

    /// Sets the time from which totals count: the first total of a sender that started earlier is only a
    /// baseline. Defaults to the time of making the options.
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

    /// The budget of bytes in flight, for [`serve_grpc`](crate::inputs::serve_grpc).
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// The counters of the input, for gRPC and HTTP together.
    #[must_use]
    pub fn statistics(&self) -> &InputStatistics {
        &self.shared.statistics
    }
}
