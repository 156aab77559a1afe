//! The common parts of the services: telemetry, a server, a client, and errors that become exceptions.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use azmon::Telemetry;
use azmon_reqwest::TraceMiddleware;
use azmon_tower::ServerLayer;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::net::TcpListener;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The time limit for the last telemetry.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves until a signal ends the program.
pub(crate) async fn run(
    name: &'static str,
    address: SocketAddr,
    routes: impl AsyncFnOnce() -> Result<Router, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let telemetry = Telemetry::builder().service_name(name).build()?;
    tracing_subscriber::registry()
        .with(telemetry.tracing_layer())
        .init();
    let app = routes()
        .await?
        .layer(ServerLayer::new().exclude_paths(["/healthz"]));
    let listener = TcpListener::bind(address).await?;
    let told_to_end = told_to_end()?;
    announce(name, listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(told_to_end)
        .await?;
    telemetry.shutdown(FLUSH_TIMEOUT)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the address is what a user waits for")]
fn announce(name: &str, address: SocketAddr) {
    println!("{name} listens on http://{address}");
}

/// A client whose calls are dependencies.
pub(crate) fn client() -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new())
        .with(TraceMiddleware::new())
        .build()
}

/// An internal error: an exception in the portal, and an error status for the caller.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    source: Box<dyn Error + Send + Sync>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            status,
            source: error.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {}", self.status)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error: &dyn Error = self.source.as_ref();
        if self.status.is_server_error() {
            tracing::error!(error, "{self}");
        } else {
            tracing::warn!(error, "{self}");
        }
        (self.status, self.source.to_string()).into_response()
    }
}

/// Installs handlers for Ctrl-C and, on Unix, the termination signal of a supervisor. The returned future waits
/// for either.
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let (mut interrupt, mut terminate) = {
        use tokio::signal::unix::{SignalKind, signal};
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
