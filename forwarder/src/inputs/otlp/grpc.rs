//! The three collector services.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1 as logs;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server as logs_server;
use opentelemetry_proto::tonic::collector::metrics::v1 as metrics;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server as metrics_server;
use opentelemetry_proto::tonic::collector::trace::v1 as traces;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server as traces_server;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::inputs::budget::Held;
use crate::inputs::otlp::read::Read;
use crate::inputs::otlp::shared::Shared;
use crate::inputs::status::status;
use crate::sink::{Acceptance, Refusal};

#[derive(Debug, Clone)]
struct Services {
    shared: Arc<Shared>,
}

pub(super) fn add(routes: Routes, shared: &Arc<Shared>) -> Routes {
    let services = || Services {
        shared: shared.clone(),
    };
    let most = shared.limits.message_bytes;
    let traces = traces_server::TraceServiceServer::new(services())
        .max_decoding_message_size(most)
        .accept_compressed(CompressionEncoding::Gzip);
    let logs = logs_server::LogsServiceServer::new(services())
        .max_decoding_message_size(most)
        .accept_compressed(CompressionEncoding::Gzip);
    let metrics = metrics_server::MetricsServiceServer::new(services())
        .max_decoding_message_size(most)
        .accept_compressed(CompressionEncoding::Gzip);
    routes
        .add_service(traces)
        .add_service(logs)
        .add_service(metrics)
}

impl Services {
    async fn deliver(&self, read: Result<Read, Refusal>) -> Result<Acceptance, Status> {
        let delivered = self.shared.deliver(read).await;
        delivered.map_err(|refusal| status(&refusal))
    }
}

/// Splits a request into its budgeted bytes and its message.
fn opened<T>(request: Request<T>) -> (Option<Held>, T) {
    let held = request.extensions().get::<Held>().cloned();
    (held, request.into_inner())
}

#[tonic::async_trait]
impl traces_server::TraceService for Services {
    async fn export(
        &self,
        request: Request<traces::ExportTraceServiceRequest>,
    ) -> Result<Response<traces::ExportTraceServiceResponse>, Status> {
        let (held, request) = opened(request);
        let read = super::traces::read(&self.shared, request, held.as_ref());
        let accepted = self.deliver(read).await?;
        Ok(Response::new(traces_answer(accepted)))
    }
}

#[tonic::async_trait]
impl logs_server::LogsService for Services {
    async fn export(
        &self,
        request: Request<logs::ExportLogsServiceRequest>,
    ) -> Result<Response<logs::ExportLogsServiceResponse>, Status> {
        let (held, request) = opened(request);
        let read = super::logs::read(&self.shared, request, held.as_ref());
        let accepted = self.deliver(read).await?;
        Ok(Response::new(logs_answer(accepted)))
    }
}

#[tonic::async_trait]
impl metrics_server::MetricsService for Services {
    async fn export(
        &self,
        request: Request<metrics::ExportMetricsServiceRequest>,
    ) -> Result<Response<metrics::ExportMetricsServiceResponse>, Status> {
        let (held, request) = opened(request);
        let read = super::metrics::read(&self.shared, request, held.as_ref());
        let accepted = self.deliver(read).await?;
        Ok(Response::new(metrics_answer(accepted)))
    }
}

/// Whether a response needs a partial success: full success has none.
fn is_partial(accepted: &Acceptance) -> bool {
    accepted.rejected > 0 || !accepted.message.is_empty()
}

fn count(accepted: &Acceptance) -> i64 {
    i64::try_from(accepted.rejected).unwrap_or(i64::MAX)
}

pub(super) fn traces_answer(accepted: Acceptance) -> traces::ExportTraceServiceResponse {
    traces::ExportTraceServiceResponse {
        partial_success: is_partial(&accepted).then(|| traces::ExportTracePartialSuccess {
            rejected_spans: count(&accepted),
            error_message: accepted.message,
        }),
    }
}

pub(super) fn logs_answer(accepted: Acceptance) -> logs::ExportLogsServiceResponse {
    logs::ExportLogsServiceResponse {
        partial_success: is_partial(&accepted).then(|| logs::ExportLogsPartialSuccess {
            rejected_log_records: count(&accepted),
            error_message: accepted.message,
        }),
    }
}

pub(super) fn metrics_answer(accepted: Acceptance) -> metrics::ExportMetricsServiceResponse {
    metrics::ExportMetricsServiceResponse {
        partial_success: is_partial(&accepted).then(|| metrics::ExportMetricsPartialSuccess {
            rejected_data_points: count(&accepted),
            error_message: accepted.message,
        }),
    }
}
