//! A running input: its listener, its services and its counters.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::{ForwarderConfig, InputKind};
use crate::inputs::{
    ApplicationInsightsInput, ApplicationInsightsOptions, Budget, Connections, InputCounts,
    InputStatistics, Limits, Listener, OpenCensusInput, OpenCensusOptions, OtlpInput, OtlpOptions,
    serve_grpc, serve_http,
};
use crate::sink::Sink;

/// The pause before a failed input listens again.
const REST: Duration = Duration::from_secs(1);

/// A running input.
#[derive(Debug)]
pub(super) struct RunningInput {
    pub(super) view: InputView,
    pub(super) stop: watch::Sender<bool>,
    pub(super) task: JoinHandle<()>,
}

/// The counters of an input.
#[derive(Debug, Clone)]
pub(super) struct InputView {
    pub(super) kind: InputKind,
    pub(super) address: SocketAddr,
    pub(super) statistics: InputStatistics,
    pub(super) connections: watch::Receiver<Option<Connections>>,
}

/// The counters of an input since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningInputCounts {
    /// The kind of the input.
    pub kind: InputKind,
    /// The address on which it listens.
    pub address: SocketAddr,
    /// The number of open connections.
    pub connections: usize,
    /// Whether the input is listening.
    pub is_listening: bool,
    /// The counters of received messages and items.
    pub counts: InputCounts,
}

impl InputView {
    pub(super) fn counts(&self) -> RunningInputCounts {
        let connections = self.connections.borrow();
        RunningInputCounts {
            kind: self.kind,
            address: self.address,
            connections: connections.as_ref().map_or(0, Connections::open),
            is_listening: connections.is_some(),
            counts: self.statistics.counts(),
        }
    }
}

/// The services of an input.
pub(super) struct Served {
    kind: InputKind,
    routes: Routes,
    limits: Limits,
    budget: Budget,
    pub(super) statistics: InputStatistics,
}

enum Routes {
    Grpc(tonic::service::Routes),
    Http(axum::Router),
}

impl Served {
    pub(super) fn new(
        kind: InputKind,
        config: &ForwarderConfig,
        sink: Arc<dyn Sink>,
        budget: Budget,
    ) -> Self {
        let limits = config.limits;
        let (routes, statistics) = match kind {
            InputKind::OtlpGrpc | InputKind::OtlpHttp => {
                let options = OtlpOptions::default().limits(limits).budget(budget.clone());
                let input = OtlpInput::new(sink, options);
                let routes = match kind {
                    InputKind::OtlpGrpc => Routes::Grpc(input.grpc_routes()),
                    _ => Routes::Http(input.http_router()),
                };
                (routes, input.statistics().clone())
            }
            InputKind::OpenCensus => {
                let options = OpenCensusOptions::default()
                    .limits(limits)
                    .budget(budget.clone())
                    .node_events(config.node_events);
                let input = OpenCensusInput::new(sink.clone(), options);
                // The OpenCensus port also serves OTLP: a service that switches to OTLP keeps its endpoint.
                let options = OtlpOptions::default()
                    .limits(limits)
                    .budget(budget.clone())
                    .statistics(input.statistics().clone());
                let otlp = OtlpInput::new(sink, options);
                let routes = Routes::Grpc(otlp.add_grpc_routes(input.grpc_routes()));
                (routes, input.statistics().clone())
            }
            InputKind::ApplicationInsightsGrpc | InputKind::ApplicationInsightsHttp => {
                let options = ApplicationInsightsOptions::default()
                    .limits(limits)
                    .budget(budget.clone());
                let input = ApplicationInsightsInput::new(sink, options);
                let routes = match kind {
                    InputKind::ApplicationInsightsGrpc => Routes::Grpc(input.grpc_routes()),
                    _ => Routes::Http(input.http_router()),
                };
                (routes, input.statistics().clone())
            }
        };
        Self {
            kind,
            routes,
            limits,
            budget,
            statistics,
        }
    }

    /// Serves until it is stopped. A failed listener is bound again, without effect on the other inputs.
    pub(super) async fn run(
        self,
        address: SocketAddr,
        mut listener: Listener,
        stopped: watch::Receiver<bool>,
        shown: watch::Sender<Option<Connections>>,
    ) {
        loop {
            let stop = wait_for(stopped.clone());
            let failure = match &self.routes {
                Routes::Grpc(routes) => {
                    let (routes, budget) = (routes.clone(), self.budget.clone());
                    let served = serve_grpc(listener, routes, &self.limits, budget, stop);
                    served.await.err().map(|error| error.to_string())
                }
                Routes::Http(router) => {
                    let served = serve_http(listener, router.clone(), stop);
                    served.await.err().map(|error| error.to_string())
                }
            };
            shown.send_replace(None);
            if *stopped.borrow() {
                return;
            }
            tracing::error!(input = %self.kind, %address, failure, "the input has stopped and listens again");
            listener = loop {
                tokio::time::sleep(REST).await;
                match Listener::bind(address, self.limits.connections).await {
                    Ok(listener) => break listener,
                    Err(error) => {
                        tracing::error!(input = %self.kind, %address, %error, "cannot listen on the address");
                    }
                }
                if *stopped.borrow() {
                    return;
                }
            };
            shown.send_replace(Some(listener.connections()));
        }
    }
}

/// Waits until the value is true, or until its sender is dropped.
async fn wait_for(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Lets running calls finish until the timeout, and cancels the rest.
pub(super) async fn stop_inputs(inputs: Vec<RunningInput>, timeout: Duration) {
    let end = Instant::now() + timeout;
    for input in &inputs {
        input.stop.send_replace(true);
    }
    for mut input in inputs {
        if tokio::time::timeout_at(end, &mut input.task).await.is_err() {
            input.task.abort();
        }
    }
}
