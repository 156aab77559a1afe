//! The agent's services: streams of messages, answered when their client closes them.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use futures_util::StreamExt;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::inputs::budget::Held;
use crate::inputs::opencensus::node::{Peer, Sender};
use crate::inputs::opencensus::shared::Shared;
use crate::inputs::opencensus::{metrics, spans};
use crate::inputs::status::status;
use crate::proto::opencensus::proto::agent::common::v1::Node;
use crate::proto::opencensus::proto::agent::metrics::v1 as metrics_proto;
use crate::proto::opencensus::proto::agent::metrics::v1::metrics_service_server as metrics_server;
use crate::proto::opencensus::proto::agent::trace::v1 as trace_proto;
use crate::proto::opencensus::proto::agent::trace::v1::trace_service_server as trace_server;
use crate::proto::opencensus::proto::trace::v1::constant_sampler::ConstantDecision;
use crate::proto::opencensus::proto::trace::v1::{ConstantSampler, TraceConfig, trace_config};
use crate::sink::Batch;

#[derive(Debug, Clone)]
struct Services {
    shared: Arc<Shared>,
}

pub(super) fn routes(shared: &Arc<Shared>) -> Routes {
    let services = || Services {
        shared: shared.clone(),
    };
    let most = shared.limits.message_bytes;
    let traces = trace_server::TraceServiceServer::new(services())
        .max_decoding_message_size(most)
        .accept_compressed(CompressionEncoding::Gzip);
    let metrics = metrics_server::MetricsServiceServer::new(services())
        .max_decoding_message_size(most)
        .accept_compressed(CompressionEncoding::Gzip);
    Routes::new(traces).add_service(metrics)
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A stream's sender, and the bytes that it holds.
struct Incoming<T> {
    peer: Peer,
    held: Option<Held>,
    messages: Streaming<T>,
    sender: Option<Arc<Sender>>,
}

impl<T> Incoming<T> {
    fn new(request: Request<Streaming<T>>) -> Self {
        Self {
            peer: request.remote_addr(),
            held: request.extensions().get::<Held>().cloned(),
            messages: request.into_inner(),
            sender: None,
        }
    }

    /// Returns the bytes of a handled message.
    fn release(&self) {
        if let Some(held) = &self.held {
            held.release();
        }
    }
}

/// Continues `work` even if the client does not wait for its end, and returns its error, if any.
fn answer<T: Send + 'static>(
    work: impl Future<Output = Result<(), Status>> + Send + 'static,
) -> Response<Answers<T>> {
    let work = tokio::spawn(work);
    let end = futures_util::stream::once(work).filter_map(|end| {
        ready(match end {
            Ok(Ok(())) => None,
            Ok(Err(status)) => Some(Err(status)),
            Err(error) => Some(Err(Status::internal(error.to_string()))),
        })
    });
    Response::new(Box::pin(end))
}

#[tonic::async_trait]
impl trace_server::TraceService for Services {
    type ConfigStream = Answers<trace_proto::UpdatedLibraryConfig>;
    type ExportStream = Answers<trace_proto::ExportTraceServiceResponse>;

    async fn config(
        &self,
        request: Request<Streaming<trace_proto::CurrentLibraryConfig>>,
    ) -> Result<Response<Self::ConfigStream>, Status> {
        let shared = self.shared.clone();
        let incoming = Incoming::new(request);
        let answers = futures_util::stream::unfold(Some((shared, incoming)), |state| async {
            let (shared, mut incoming) = state?;
            loop {
                match incoming.messages.message().await {
                    Ok(Some(message)) => {
                        incoming.release();
                        if let Some(update) = shared.configure(message) {
                            return Some((Ok(update), Some((shared, incoming))));
                        }
                    }
                    Ok(None) => return None,
                    Err(status) => {
                        shared.statistics.config_failed();
                        return Some((Err(status), None));
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn export(
        &self,
        request: Request<Streaming<trace_proto::ExportTraceServiceRequest>>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let shared = self.shared.clone();
        let mut incoming = Incoming::new(request);
        Ok(answer(async move {
            while let Some(message) = shared.next(&mut incoming).await? {
                let described = message.node.is_some();
                let peer = incoming.peer;
                let sender =
                    shared
                        .nodes
                        .of(peer, message.node, message.resource, &mut incoming.sender);
                let (mut items, rejected) = spans::read(&shared, &sender, message.spans);
                if described && shared.node_events {
                    items.insert(0, spans::node_event(&sender, "Export", peer));
                }
                let batch = Batch::new(sender.attributes.clone(), items);
                let delivered = shared.deliver(batch, rejected).await;
                incoming.release();
                delivered.map_err(|refusal| status(&refusal))?;
            }
            Ok(())
        }))
    }
}

#[tonic::async_trait]
impl metrics_server::MetricsService for Services {
    type ExportStream = Answers<metrics_proto::ExportMetricsServiceResponse>;

    async fn export(
        &self,
        request: Request<Streaming<metrics_proto::ExportMetricsServiceRequest>>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let shared = self.shared.clone();
        let mut incoming = Incoming::new(request);
        Ok(answer(async move {
            while let Some(message) = shared.next(&mut incoming).await? {
                let (peer, node) = (incoming.peer, message.node);
                let sender = shared
                    .nodes
                    .of(peer, node, message.resource, &mut incoming.sender);
                let (items, rejected) = metrics::read(&shared, &sender, message.metrics);
                let batch = Batch::new(sender.attributes.clone(), items);
                let delivered = shared.deliver(batch, rejected).await;
                incoming.release();
                delivered.map_err(|refusal| status(&refusal))?;
            }
            Ok(())
        }))
    }
}

impl Shared {
    /// The next message of a stream; `None` at its end. A broken stream ends without effect on others.
    async fn next<T>(&self, incoming: &mut Incoming<T>) -> Result<Option<T>, Status> {
        let message = incoming.messages.message().await;
        if message.is_err() {
            self.statistics.batch_failed();
        }
        message
    }

    /// Tells a library that samples to send all spans: the forwarder samples, and needs correct counts.
    fn configure(
        &self,
        message: trace_proto::CurrentLibraryConfig,
    ) -> Option<trace_proto::UpdatedLibraryConfig> {
        self.statistics.config_received();
        let all = trace_config::Sampler::ConstantSampler(ConstantSampler {
            decision: ConstantDecision::AlwaysOn as i32,
        });
        let config = message.config.unwrap_or_default();
        (config.sampler != Some(all)).then_some(trace_proto::UpdatedLibraryConfig {
            node: None::<Node>,
            config: Some(TraceConfig {
                sampler: Some(all),
                ..config
            }),
        })
    }
}
