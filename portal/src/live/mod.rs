//! Live metrics: figures and samples of this second, for the pages that are open.
//!
//! ```text
//! client ── POST /QuickPulseService.svc/ping, /post ─► protocol ─┐
//!                                                                ├► hub ─► GET /api/live (Server-Sent Events)
//! client without Live Metrics ── telemetry ─► store ─► collector ┘
//! ```
//! - Clients post only while a reader of `/api/live` is there: a ping is answered with `x-ms-qps-subscribed: true` then.
//! - One configuration holds for all clients. The portal applies it, by the client's own code, to telemetry of roles that
//!   do not post.
//! - Seconds are those in which a post arrived, by a monotonic clock: clocks of clients do not matter.
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

pub(crate) use self::hub::{Changes, Hub, Sample, State};
pub(crate) use self::protocol::routes;
pub(crate) use self::server::{Row, Server, Source};
