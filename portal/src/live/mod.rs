//! Live Metrics: figures and samples of the current second, for open pages.
//!
//! ```text
//! client ── POST /QuickPulseService.svc/ping, /post ─► protocol ─┐
//!                                                                ├► hub ─► GET /api/live (Server-Sent Events)
//! client without Live Metrics ── telemetry ─► store ─► collector ┘
//! ```
//! - Clients post only while a reader of `/api/live` is connected: only then is the response to a ping
//!   `x-ms-qps-subscribed: true`.
//! - One configuration applies to all clients. The portal applies it to the telemetry of roles that do not post, with
//!   the client's code.
//! - A second is that of a post's arrival, by a monotonic clock: the clocks of clients do not matter.
//!
//! | Limit | Value | Beyond it |
//! |---|---|---|
//! | Body of a call | 8 MiB | 413 |
//! | Servers | 100 | others are answered as without a reader, and counted |
//! | Seconds of a server | 3,600; of all servers 72,000 | the oldest go |
//! | Samples | 500 | the oldest go |

mod hub;
mod point;
mod protocol;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use self::hub::{Changes, Hub, Sample, State, default_configuration};
pub(crate) use self::protocol::routes;
pub(crate) use self::server::{Row, Server, Source};
