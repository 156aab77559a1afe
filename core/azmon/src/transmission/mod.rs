//! From items to answered requests: the worker that encodes, compresses, sends and stores.
//!
//! Invariants:
//! - One thread, `azmon-worker`, with its own current-thread runtime does all mapping, compression and network
//!   I/O, whatever runtime the application has, or none. Files are handled on another one. Both have
//!   telemetry suppressed, so that the exporter never traces itself.
//! - An item is in exactly one place: the queue, a job, the outbox, an upload, or a file. It leaves for good only
//!   when the service has answered for it, or when it is counted as dropped. [`ItemCounters`](crate::item::ItemCounters) adds up.
//! - A retry belongs to its batch: its tries, its age, its own pause. Others pass it.
//! - Memory is bounded on every path: the queue, what exporters hand over, and the outbox have limits in bytes.
//! - Decisions are pure and apart from I/O: `due` says what the worker does next, `response` classifies an answer,
//!   `circuit` says whether the endpoint may be tried, `backoff` when a batch is, `redirect` where a redirect may lead.
//!
//! ```text
//! queue ─► encoder ─► outbox ─► upload ─► response ─┬ accepted             done
//!                      ▲  │ ▲                       ├ partial              the items to be retried, with a pause
//!            durable ──┘  │ └───────────────────────┼ retry                with a pause; the circuit may open
//!                         │ circuit open, or a      ├ redirect             at once, elsewhere
//!                         ▼ pause to wait for       ├ split, isolate       in parts
//!                        disk ─► outbox             └ refused              counted
//! ```
//!
//! On the wire a batch is newline-delimited JSON, compressed with gzip: a batch that is sent again is the
//! same bytes, from memory or from disk.

mod backoff;
mod batch;
mod circuit;
mod console;
mod disk;
mod due;
mod encoder;
mod handle;
mod line;
mod live;
mod managed_identity;
mod operation_names;
mod outbox;
mod redirect;
mod response;
mod status;
#[cfg(test)]
mod tests;
mod tokens;
mod transport;
mod uploads;
mod waiters;
mod worker;

pub use self::circuit::CircuitState;
pub(crate) use self::console::Console;
#[cfg(feature = "testing")]
pub(crate) use self::encoder::Encoder;
pub(crate) use self::handle::{Shared, SourceId, WorkerHandle};
pub(crate) use self::live::{LiveTransport, LiveWork};
pub(crate) use self::managed_identity::ManagedIdentity;
pub(crate) use self::status::Status;
pub use self::status::TelemetryStatistics;
pub(crate) use self::tokens::{TokenSource, Tokens};
#[cfg(any(test, feature = "testing"))]
pub(crate) use self::transport::Sending;
pub(crate) use self::transport::{
    HttpTransport, NetworkSettings, NullTransport, Reply, SendError, Transport,
};
pub(crate) use self::worker::{Worker, WorkerExtensions, WorkerOptions};
