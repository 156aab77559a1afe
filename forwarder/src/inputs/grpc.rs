//! Serves gRPC.

use std::future::Future;
use std::time::Duration;

use tonic::service::Routes;

use crate::inputs::budget::BudgetLayer;
use crate::inputs::{Budget, Limits, Listener};

/// The interval of keep-alive pings on an idle connection.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Serves `routes` until `shutdown` completes, and then until the running calls have ended.
///
/// # Errors
///
/// If the server itself fails. Errors of a connection or a stream end only that connection or stream.
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
