//! The local Application Insights: receives telemetry on a developer's own machine, and shows it.
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
//! SDK ── POST /v2.1/track ─► ingestion ─► store (memory, newest kept) ─► pages  GET /  /items/{id}  /operations/{id}
//!                             200 206 400                             └► API    GET /api/items  /api/health
//! ```
//! The same is a program: `azmon portal` listens on 127.0.0.1:4320 and prints the connection string to paste.
//!
//! # Limits
//! The newest 50,000 items, up to 256 MiB, are held unless told otherwise ([`PortalBuilder::max_items`],
//! [`PortalBuilder::max_bytes`]); they are gone when the portal ends. Bodies and items have the service's limits
//! ([`ingestion`]).
//!
//! # Safety
//! Whoever can reach the portal can read all telemetry: there is no login. It listens on loopback unless told
//! otherwise, and is read only under the names of this machine ([`PortalBuilder::allow_host`]).
//!
//! # What it does not do yet
//! Live metrics and OTLP are not received, and nothing is stored on disk.

mod api;
pub mod ingestion;
mod otlp;
mod pages;
mod portal;
mod query;
mod server;
mod store;
pub mod testing;

pub use self::portal::{BindError, DEFAULT_ADDRESS, DEFAULT_MAX_BYTES, Portal, PortalBuilder};
pub use self::store::{Item, ItemKind, ParseItemKindError, Statistics};
