//! Receives OpenCensus, OTLP and Application Insights telemetry and forwards it to Application Insights. It
//! replaces Microsoft's LocalForwarder, and a collector for Azure Monitor, with one library and one subcommand,
//! `azmon forward`.
//!
//! ```text
//! applications          inputs                      processing                        destinations
//!   OTLP ─────────────► gRPC 4317, HTTP 4318 ─┐
//!   OpenCensus ───────► gRPC 55678 ───────────┼─► exclude ─► redact ─┬─► sample ─► route ─┬─► default ─► Azure
//!   Application Insights ► HTTP, gRPC 50001 ──┘                      │                    └─► others
//!                                                                    └─► Live Metrics, standard metrics
//! ```
//!
//! | To | Use |
//! |---|---|
//! | run a forwarder by a configuration | [`Forwarder`], [`config`] |
//! | run it as a service, with signals, statistics and health | [`operation`] |
//! | receive telemetry in a program of your own | [`inputs`], with a [`Sink`](sink::Sink) |
//!
//! Live Metrics have a stream for each role instance, as if it had azmon's own client; at most 50 for each destination,
//! which end 3 minutes after their last item.
//!
//! Memory is bounded for any input: by [`Limits`](inputs::Limits) before the queues, and by the queue of each
//! destination. A client that exceeds a limit is told to retry later. Lost items are counted by reason.
//!
//! # What it does not do
//!
//! - It samples by the hash of the trace id only. Replicas behind a load balancer sample alike, but none of them
//!   waits for the end of a trace.
//! - It listens without encryption. Listening on addresses that other machines can reach needs an explicit
//!   option.

pub mod config;
mod delivery;
mod forwarder;
pub mod inputs;
pub mod operation;
mod processing;
#[doc(hidden)]
pub mod proto;
mod running_input;
pub mod sink;

pub use self::delivery::{DestinationCounts, DestinationError, LiveMetricsCounts};
pub use self::forwarder::{Forwarder, ForwarderCounts, ForwarderWatch, StartError};
pub use self::running_input::RunningInputCounts;
