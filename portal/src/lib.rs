//! The local Application Insights: a portal that receives telemetry on a developer's machine and shows it.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let portal = azmon_portal::Portal::builder().bind("127.0.0.1:0".parse()?).await?;
//! println!("open {}, and connect with {}", portal.url(), portal.connection_string());
//! // … send telemetry to it …
//! assert!(portal.items().is_empty());
//! portal.shutdown().await;
//! # Ok(()) }
//! ```
//! ```text
//! SDK ── POST /v2.1/track (HTTP, HTTPS) ─► ingestion ─┐                      ┌► pages
//! SDK ── POST /QuickPulseService.svc/… ─► live metrics ─► GET /api/live
//! SDK ── OTLP over gRPC and HTTP ─► azmon-forwarder ──┴► store (SQLite) ─────┴► API  /api/…  (openapi.json)
//!                                   200 = committed       items, words, rollups
//! ```
//! The program `azmon portal` does the same: it listens on 127.0.0.1:4320 (OpenTelemetry on 4317 and 4318) and
//! prints the connection string to paste. `azmon tail`, `query`, `import`, `export` and `doctor` use its API.
//! Tests of instrumented services start a portal in the process with [`testing`].
//!
//! # Limits
//! The database is temporary unless a directory is set ([`PortalBuilder::data_directory`]). It holds up to 1 GiB
//! by default. Beyond its limits, the portal removes the items that arrived first ([`PortalBuilder::max_bytes`],
//! [`PortalBuilder::max_items`], [`PortalBuilder::max_age`]). Bodies and items have the service's limits
//! ([`ingestion`]).
//!
//! # Safety
//! Telemetry contains secrets. A portal listens on loopback by default. On any other address it requires a token
//! from readers ([`Portal::token`]). It can be read only under the names of this machine
//! ([`PortalBuilder::allow_host`]), and never by pages of another origin.
//!
mod api;
mod bind_error;
mod builder;
mod checks;
#[doc(hidden)]
pub mod hostile;
pub mod ingestion;
mod live;
mod otlp;
mod pages;
mod portal;
mod query;
mod router;
mod server;
mod store;
pub mod testing;

pub use self::bind_error::BindError;
pub use self::builder::{DEFAULT_ADDRESS, DEFAULT_MAX_BYTES, PortalBuilder};
pub use self::checks::{Checks, ParseChecksError};
pub use self::portal::Portal;
pub use self::store::{Item, ItemKind, ParseItemKindError, Statistics};
