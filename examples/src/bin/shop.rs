//! A small shop: the service that `cargo xtask demo` drives.
//!
//! ```text
//! azmon portal                                                          # prints the connection string
//! APPLICATIONINSIGHTS_CONNECTION_STRING='…' cargo run -p azmon-examples --bin shop
//! curl http://127.0.0.1:4321/orders/7                                   # and look at the portal
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use azmon::Telemetry;
use azmon_tower::ServerLayer;
use clap::Parser;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// How long the last telemetry may take.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// A small shop whose requests can be seen in the portal.
#[derive(Debug, Parser)]
struct Arguments {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4321")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let telemetry = Telemetry::builder().service_name("shop").build()?;
    let app = routes().layer(ServerLayer::new().exclude_paths(["/healthz"]));

    let listener = TcpListener::bind(arguments.listen).await?;
    let told_to_end = told_to_end()?;
    announce(listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(told_to_end)
        .await?;
    telemetry.shutdown(FLUSH_TIMEOUT)?;
    Ok(())
}

fn routes() -> Router {
    Router::new()
        .route("/", get(welcome))
        .route("/orders", post(place))
        .route("/orders/{id}", get(order))
        .route("/slow", get(slow))
        .route("/fail", get(fail))
        .route("/healthz", get(healthy))
}

#[expect(clippy::print_stdout, reason = "the address is what a user waits for")]
fn announce(address: SocketAddr) {
    println!("shop listens on http://{address}");
}

async fn welcome() -> &'static str {
    "welcome to the shop\n"
}

#[derive(Debug, Serialize)]
struct Order {
    id: u64,
    article: String,
}

async fn order(Path(id): Path<u64>) -> Json<Order> {
    Json(Order {
        id,
        article: format!("article {id}"),
    })
}

#[derive(Debug, Deserialize)]
struct NewOrder {
    article: String,
}

async fn place(Json(order): Json<NewOrder>) -> (StatusCode, Json<Order>) {
    let order = Order {
        id: 4_711,
        article: order.article,
    };
    (StatusCode::CREATED, Json(order))
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(300)).await;
    "that took a while\n"
}

async fn fail() -> (StatusCode, &'static str) {
    (StatusCode::INTERNAL_SERVER_ERROR, "out of stock\n")
}

async fn healthy() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Listens for Ctrl-C and, on Unix, for the signal by which a supervisor ends a program; the future waits for
/// them.
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
