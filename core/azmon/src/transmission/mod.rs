//! From items to answered requests: the worker that encodes, compresses and sends.
//!
//! Invariants:
//! - One thread, `azmon-worker`, with its own current-thread runtime does all mapping, compression and
//!   I/O, whatever runtime the application has, or none. It runs with telemetry suppressed, so that the
//!   exporter never traces itself.
//! - An item is in exactly one place: the queue, the outbox, or an upload. It leaves the outbox for good
//!   only when the service has answered for it, or when it is counted as dropped.
//! - Decisions are pure and apart from I/O: `response` judges an answer, `gate` says when to try again,
//!   `redirect` where a redirect may lead.
//!
//! ```text
//! queue ─► encoder ─► outbox ─► upload ─► response ─┬ accepted          done
//!                       ▲                           ├ partial           keep the items to be retried
//!                       ├───────────────────────────┼ retry, redirect   gate closes / endpoint changes
//!                       │                           ├ split             two halves
//!                       └───────────────────────────┴ rejected          counted
//! ```
//!
//! On the wire a batch is newline-delimited JSON, compressed with gzip: a batch that is sent again is the
//! same bytes.

mod answers;
mod batch;
mod console;
mod encoder;
mod gate;
mod item;
mod operation_names;
mod outbox;
mod redirect;
mod response;
#[cfg(test)]
mod tests;
mod transmitter;
mod transport;
mod waiters;
mod worker;

pub(crate) use self::console::Console;
#[cfg(feature = "testing")]
pub(crate) use self::encoder::Encoder;
pub(crate) use self::transmitter::{Exported, Transmitter};
#[cfg(any(test, feature = "testing"))]
pub(crate) use self::transport::Sending;
pub(crate) use self::transport::{HttpTransport, Nowhere, Reply, SendError, Transport};
pub(crate) use self::worker::{Extras, Worker, WorkerOptions};
