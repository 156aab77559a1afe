//! A small shop whose telemetry the portal shows.
//!
//! ```text
//! azmon portal                                                          # prints the connection string
//! APPLICATIONINSIGHTS_CONNECTION_STRING='…' cargo run -p azmon-examples --bin shop
//! curl http://127.0.0.1:4321/orders/7                                   # and look at the portal
//! ```

mod store;

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use azmon::Telemetry;
use azmon_tower::ServerLayer;
use clap::Parser;
use serde::Deserialize;
use tokio::net::TcpListener;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::store::{Order, Store};

/// The time limit for the last telemetry.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// A small shop whose requests, queries and logs appear in the portal.
#[derive(Debug, Parser)]
struct Arguments {
    /// Address and port to listen on; port 0 selects a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4321")]
    listen: SocketAddr,

    /// Database of the orders: SQLite or PostgreSQL. In memory by default.
    #[arg(
        long,
        value_name = "URL",
        env = "SHOP_DATABASE_URL",
        default_value = "sqlite::memory:"
    )]
    database: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let telemetry = Telemetry::builder().service_name("shop").build()?;
    tracing_subscriber::registry()
        .with(telemetry.tracing_layer())
        .init();

    let store = Store::open(&arguments.database).await?;
    let app = routes(store).layer(ServerLayer::new().exclude_paths(["/healthz"]));
    let listener = TcpListener::bind(arguments.listen).await?;
    let told_to_end = told_to_end()?;
    announce(listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(told_to_end)
        .await?;
    telemetry.shutdown(FLUSH_TIMEOUT)?;
    Ok(())
}

fn routes(store: Store) -> Router {
    Router::new()
        .route("/", get(welcome))
        .route("/orders", post(place))
        .route("/orders/{id}", get(order))
        .route("/slow", get(slow))
        .route("/fail", get(fail))
        .route("/healthz", get(healthy))
        .with_state(store)
}

#[expect(clippy::print_stdout, reason = "the address is what a user waits for")]
fn announce(address: SocketAddr) {
    println!("shop listens on http://{address}");
}

async fn welcome() -> &'static str {
    "welcome to the shop\n"
}

async fn order(State(store): State<Store>, Path(id): Path<i64>) -> Result<Response, Failure> {
    Ok(match store.find(id).await? {
        Some(order) => Json(order).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

#[derive(Debug, Deserialize)]
struct NewOrder {
    article: String,
}

async fn place(
    State(store): State<Store>,
    Json(order): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), Failure> {
    let order = store.add(&order.article).await?;
    tracing::info!(?order, "an order was placed");
    Ok((StatusCode::CREATED, Json(order)))
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(300)).await;
    "that took a while\n"
}

async fn fail() -> (StatusCode, &'static str) {
    tracing::warn!(article = "tea", "out of stock");
    (StatusCode::INTERNAL_SERVER_ERROR, "out of stock\n")
}

async fn healthy() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// A database error: an exception in the portal, and 500 for the caller.
struct Failure;

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(error = &error as &dyn Error, "the database failed");
        Self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
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
