//! The path from items to answered requests: the worker that encodes, compresses, sends and stores.
//!
//! Invariants:
//! - One thread, `azmon-worker`, performs all mapping, compression and network I/O in its own current-thread runtime,
//!   whatever runtime the application has. Another thread handles files. Telemetry is suppressed on both, so that the
//!   exporter never traces itself.
//! - An item is in exactly one place: the queue, a job, the outbox, an upload, or a file. It leaves for good only when
//!   the service has answered for it, or when it is counted as dropped. [`ItemCounters`](crate::item::ItemCounters)
//!   adds up.
//! - Each batch has its own attempts, age and pause. Other batches overtake a batch that waits for a retry.
//! - Memory is bounded on every path: the queue, exported items, and the outbox have limits in bytes.
//! - Decisions are pure functions, separate from I/O: `due` returns the next action of the worker, `response`
//!   classifies an answer, `circuit` decides whether the endpoint may be tried, `backoff` when a batch may be retried,
//!   and `redirect` where a redirect may lead.
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
//! On the wire, a batch is newline-delimited JSON, compressed with gzip. A retry sends the same bytes, from memory or
//! from disk.

mod backoff;
mod batch;
mod circuit;
mod console;
mod disk;
mod due;
mod encoder;
mod event_loop;
mod handle;
mod jobs;
mod line;
mod live;
mod managed_identity;
mod operation_names;
mod outbox;
mod outcomes;
mod redirect;
mod response;
mod settling;
mod shutdown;
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
