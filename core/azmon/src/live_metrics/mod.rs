//! Live Metrics: figures and samples of this second, while their page is open in the portal.
//!
//! Invariants:
//! - Without a reader it costs one ping every 5 s, and one atomic load for each span or log record that sampling leaves
//!   out. With one, such a span is handed to the worker instead of being freed. No lock is taken on a request's thread.
//! - The worker counts, filters and samples envelopes after the processors, as they are sent, and
//!   unsampled items as they would be sent. [`Collector`] does it; the portal has collectors, too, for clients without Live Metrics.
//! - The state machine ([`Machine`]), filters and quotas are pure, and get their time from outside: a monotonic one.
//! - A configuration replaces another between two intervals. A part that cannot be understood is refused whole, and
//!   reported with each post. It is bounded: [`MAX_CONFIGURATION`] bytes, [`MAX_FILTERS`] filters.
//! - A program that forwards the telemetry of others has a stream for each of their role instances: [`LiveStreams`]. The
//!   threads that show it items share the lock of a stream's collector with its client.
//! - Points that could not be posted wait, ten at most; samples by quotas, 1,000 an interval at most.
//!
//! ```text
//! POST {LiveEndpoint}/QuickPulseService.svc/ping   every 5 s: is a reader subscribed?
//! POST {LiveEndpoint}/QuickPulseService.svc/post   every second while one is
//! ```

mod answer;
mod client;
mod collector;
mod configuration;
mod derived;
mod documents;
mod duration;
mod filter;
mod live;
mod machine;
mod process;
mod quota;
mod streams;
mod subject;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::answer::Answer;
pub(crate) use self::client::{Calling, Client, Identity, Request, Transport};
pub use self::collector::{Calls, Collected, Collector, Counts};
pub use self::configuration::{Configuration, MAX_CONFIGURATION, MAX_FILTERS};
pub use self::duration::{iso8601, parse_ticks};
pub(crate) use self::live::Live;
pub use self::machine::{Call, Change, Machine, Outcome};
pub use self::quota::Quota;
pub(crate) use self::streams::StreamClients;
pub use self::streams::{LiveStreams, MAX_STREAMS};
pub use self::subject::LiveTelemetryType;
pub use self::wire::{
    ConfigurationError, ConfigurationInfo, DataPoint, Document, DocumentGroupInfo, FilterGroupInfo,
    FilterInfo, INVARIANT_VERSION, MetricInfo, MetricValue, Pair, QuotaInfo, StreamInfo,
};
