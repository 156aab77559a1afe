//! `contracts.AITelemetryService`: a stream of batches. The response follows when the client closes the stream.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::inputs::application_insights::contracts;
use crate::inputs::application_insights::shared::Shared;
use crate::inputs::budget::Held;
use crate::inputs::status::status;
use crate::proto::contracts as proto;
use crate::proto::contracts::ai_telemetry_service_server as server;
use crate::sink::{ReceivedItem, Refusal};

/// The number of attempts for a refused batch, and the longest pause between two attempts.
const ATTEMPTS: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
struct Service {
    shared: Arc<Shared>,
}

pub(super) fn routes(shared: &Arc<Shared>) -> Routes {
    let service = Service {
        shared: shared.clone(),
    };
    let service = server::AiTelemetryServiceServer::new(service)
        .max_decoding_message_size(shared.limits.message_bytes)
        .accept_compressed(CompressionEncoding::Gzip);
    Routes::new(service)
}

#[tonic::async_trait]
impl server::AiTelemetryService for Service {
    type SendTelemetryBatchStream =
        Pin<Box<dyn Stream<Item = Result<proto::AiResponse, Status>> + Send>>;

    async fn send_telemetry_batch(
        &self,
        request: Request<Streaming<proto::TelemetryBatch>>,
    ) -> Result<Response<Self::SendTelemetryBatchStream>, Status> {
        let shared = self.shared.clone();
        let held = request.extensions().get::<Held>().cloned();
        let mut messages = request.into_inner();
        let work = tokio::spawn(async move {
            loop {
                match messages.message().await {
                    Ok(Some(batch)) => {
                        let delivered = shared.take(batch).await;
                        if let Some(held) = &held {
                            held.release();
                        }
                        delivered.map_err(|refusal| status(&refusal))?;
                    }
                    Ok(None) => return Ok(()),
                    Err(status) => {
                        shared.statistics.batch_failed();
                        return Err(status);
                    }
                }
            }
        });
        let end = futures_util::stream::once(work).filter_map(|end| {
            ready(match end {
                Ok(Ok(())) => None,
                Ok(Err(status)) => Some(Err(status)),
                Err(error) => Some(Err(Status::internal(error.to_string()))),
            })
        });
        Ok(Response::new(Box::pin(end)))
    }
}

impl Shared {
    /// Delivers a batch, and waits while the sink has no room.
    async fn take(&self, batch: proto::TelemetryBatch) -> Result<(), Refusal> {
        let received = batch.items.len();
        let envelopes = batch.items.into_iter().filter_map(contracts::to_envelope);
        let items: Vec<_> = envelopes.map(ReceivedItem::from).collect();
        let rejected = (received - items.len()) as u64;
        let mut attempt = 1;
        loop {
            match self.deliver(items.clone(), rejected).await {
                Ok(_) => return Ok(()),
                Err(refusal) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(refusal.retry_after().min(LONGEST_PAUSE)).await;
                }
                Err(refusal) => return Err(refusal),
            }
        }
    }
}
