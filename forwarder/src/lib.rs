//! OpenCensus, OTLP and Application Insights in, Application Insights out: what Microsoft's LocalForwarder did,
//! and what a collector does for Azure Monitor, in one library and one subcommand, `azmon forward`.
//!
//! ```text
//! applications          inputs                      processing                        destinations
//!   OTLP ─────────────► gRPC 4317, HTTP 4318 ─┐
//!   OpenCensus ───────► gRPC 55678 ───────────┼─► exclude ─► redact ─► standard ─► sample ─┬─► default ─► Azure
//!   Application Insights ► HTTP, gRPC 50001 ──┘   metrics                    │ routes └─► others
//! ```
//!
//! | To | Use |
//! |---|---|
//! | run a forwarder by a configuration | [`Forwarder`], [`config`] |
//! | run it as a service, with signals, statistics and health | [`operation`] |
//! | receive telemetry in a program of your own | [`inputs`], with a [`Sink`](sink::Sink) |
//!
//! Whatever arrives, memory is bounded: by [`Limits`](inputs::Limits) before the queues, and by the queue of each
//! destination. A client that is too fast is told to come back. What is lost is counted, by reason.
//!
//! # What it does not do
//!
//! - It keeps no decision about a trace beyond the trace's hash: replicas behind a balancer sample alike, but none
//!   of them waits for the end of a trace.
//! - It listens without encryption. Addresses that other machines reach must be asked for.

pub mod config;
mod delivery;
mod forwarder;
pub mod inputs;
pub mod operation;
mod processing;
#[doc(hidden)]
pub mod proto;
pub mod sink;

pub use self::delivery::{DestinationCounts, DestinationError};
pub use self::forwarder::{
    Forwarder, ForwarderCounts, ForwarderWatch, RunningInputCounts, StartError,
};
