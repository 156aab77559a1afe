use std::sync::Arc;
use std::time::SystemTime;

use azmon::mapping::MappingOptions;

use crate::inputs::delta::Deltas;
use crate::inputs::names::OperationNames;
use crate::inputs::opencensus::node::Nodes;
use crate::inputs::opencensus::services;
use crate::inputs::opencensus::shared::Shared;
use crate::inputs::{Budget, InputStatistics, Limits};
use crate::sink::Sink;

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
    /// Sets the instrumentation key of all items. Defaults to an empty key, for which the sink selects a
    /// destination.
    #[must_use]
    pub fn instrumentation_key(mut self, key: impl Into<String>) -> Self {
        self.instrumentation_key = key.into();
        self
    }

    /// Sets the mapping of spans to Application Insights items.
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

    /// Sets the budget of bytes in flight, shared with other inputs. Defaults to a separate budget.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sets whether every message with a node produces a custom event that describes the node, as in
    /// LocalForwarder. Defaults to `false`: some clients send a node with every span.
    #[must_use]
    pub fn node_events(mut self, events: bool) -> Self {
        self.node_events = events;
        self
    }

    /// Sets the time from which totals of metrics count. Defaults to the time of making the options.
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

    /// The budget of bytes in flight, for [`serve_grpc`](crate::inputs::serve_grpc).
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// The counters of the input.
    #[must_use]
    pub fn statistics(&self) -> &InputStatistics {
        &self.shared.statistics
    }
}
