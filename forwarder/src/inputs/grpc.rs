//! Serving gRPC.

use std::future::Future;
use std::time::Duration;

use tonic::service::Routes;

use crate::inputs::budget::BudgetLayer;
use crate::inputs::{Budget, Limits, Listener};

/// How often an idle connection is asked whether it is alive.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Serves `routes` until `shutdown` completes, and then until the calls under way have ended.
///
/// # Errors
///
/// When the server fails as a whole. Errors of a connection or a stream end that one alone.
pub async fn serve_grpc(
    listener: Listener,
    routes: Routes,
    limits: &Limits,
    budget: Budget,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), tonic::transport::Error> {
    tonic::transport::Server::builder()
        .max_concurrent_streams(limits.streams_per_connection)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .layer(BudgetLayer::new(budget))
        .add_routes(routes)
        .serve_with_incoming_shutdown(listener.into_stream(), shutdown)
        .await
}
