use std::sync::Arc;

use crate::inputs::application_insights::shared::Shared;
use crate::inputs::application_insights::{grpc, track};
use crate::inputs::{Budget, InputStatistics, Limits};
use crate::sink::Sink;

/// Settings of an [`ApplicationInsightsInput`].
#[derive(Debug, Clone, Default)]
pub struct ApplicationInsightsOptions {
    limits: Limits,
    budget: Option<Budget>,
}

impl ApplicationInsightsOptions {
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
}

/// Receives the telemetry of Application Insights SDKs.
#[derive(Debug, Clone)]
pub struct ApplicationInsightsInput {
    shared: Arc<Shared>,
}

impl ApplicationInsightsInput {
    /// Makes an input that delivers to `sink`.
    #[must_use]
    pub fn new(sink: Arc<dyn Sink>, options: ApplicationInsightsOptions) -> Self {
        let ApplicationInsightsOptions { limits, budget } = options;
        Self {
            shared: Arc::new(Shared {
                sink,
                limits,
                budget: budget.unwrap_or_else(|| Budget::new(limits.in_flight_bytes)),
                statistics: InputStatistics::default(),
            }),
        }
    }

    /// `POST /v2/track` and `/v2.1/track`, with doubled or trailing slashes too.
    pub fn http_router(&self) -> axum::Router {
        track::router(self.shared.clone())
    }

    /// `contracts.AITelemetryService`, for [`serve_grpc`](crate::inputs::serve_grpc).
    #[must_use]
    pub fn grpc_routes(&self) -> tonic::service::Routes {
        grpc::routes(&self.shared)
    }

    /// The budget of bytes in flight.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// The counters of the input, for HTTP and gRPC together.
    #[must_use]
    pub fn statistics(&self) -> &InputStatistics {
        &self.shared.statistics
    }
}
