//! Which traces are kept, and how what is kept is counted.
//!
//! By default everything is kept. Where a share is kept, each item says which share, in percent, and Azure
//! Monitor counts it as 100 divided by that: of a service that keeps 25 %, every request that arrives counts
//! as four, so that numbers and rates in the portal stay right. Metrics are not sampled. The share travels as
//! the attribute `microsoft.sample_rate` of a span, and becomes `sampleRate` of its items; that of other
//! instrumentation is read, also under its older name, `_MS.sampleRate`.
//!
//! | Setting of [`TelemetryBuilder`](crate::TelemetryBuilder) | What is kept | An item counts as | `sampleRate` |
//! |---|---|---|---|
//! | none | everything | 1 | none, which means 100 |
//! | `sampling_ratio(1/N)` | one trace of N, the same in every service that keeps as many | N | 100/N |
//! | `sampling_ratio(0.3)` | the next smaller 1/N: a quarter | 4 | 25 |
//! | `traces_per_second(5.0)` | about five traces a second, by a share 1/N that follows the load | N of the moment the trace began | 100/N |
//! | `sampling_override(..)` | of the spans or log records that it is met by, its own percentage | 100 / percentage, rounded up | its own, rounded down to 100/N |
//! | `keep_failures()` | also every request that fails, with its children and logs | 1 | none |
//! | `keep_slower_than(2 s)` | also every request that takes longer, with its children and logs | 1 | none |
//! | `follow_remote_parent(true)` | what the calling service keeps | N under a fixed ratio, else 1 | 100/N, or none |
//! | `sampler(..)` | what your sampler keeps; all of the above are left out | as its attribute `microsoft.sample_rate` says | that attribute |
//!
//! The environment can say it too, where the code does not:
//!
//! | `OTEL_TRACES_SAMPLER` | `OTEL_TRACES_SAMPLER_ARG` | Same as |
//! |---|---|---|
//! | `always_on`, `always_off` | | `sampling_ratio(1.0)`, `sampling_ratio(0.0)` |
//! | `traceidratio`, `trace_id_ratio` | ratio, 1 if absent | `sampling_ratio` |
//! | `microsoft.fixed_percentage`, `microsoft.fixed.percentage` | ratio from 0 to 1 (not a percentage), 1 if absent | `sampling_ratio` |
//! | `microsoft.rate_limited` | traces a second, 5 if absent | `traces_per_second` |
//! | the first two lines after `parentbased_` | as there | the same with `follow_remote_parent(true)` |
//!
//! # How is decided
//!
//! The first of these that applies:
//! 1. The first [`SamplingOverride`] whose conditions the span meets.
//! 2. The parent in this process: a span is kept if its parent is, at its parent's rate.
//! 3. The parent in another service, if that is asked for. By default it is not, since classic Application
//!    Insights SDKs send "not sampled" whatever they do.
//! 4. For the first span of a trace here: its [`score`] is below the share.
//!
//! The score depends on the trace id alone, and is the same in every Application Insights SDK. So a trace is
//! whole across services that keep the same share, and what a service keeps that keeps less is a part
//! of what others keep.
//!
//! # How children know the rate of their parent
//!
//! OpenTelemetry shows a sampler whether the parent was sampled, but not the parent's attributes. Under a
//! fixed ratio without overrides there is one rate, so nothing needs to be known. Else the rate of a trace is
//! kept in a table of 16,384 places by trace id, and that of a span which differs from its trace in
//! the same table by span id; nothing of it travels to other services. When a trace is so old, or there
//! are so many, that its place was taken, children are still kept if and only if their parent was, but
//! counted at the rate of the moment.
//!
//! # Failures and slow requests
//!
//! ```
//! use std::time::Duration;
//!
//! use azmon::Telemetry;
//!
//! let builder = Telemetry::builder()
//!     .sampling_ratio(0.01)
//!     .keep_failures()
//!     .keep_slower_than(Duration::from_secs(2));
//! ```
//!
//! The decision about a trace then waits until its first span in this process, the local root, ends: until then
//! its spans and logs wait in memory, within [`DecisionLimits`]. A failure is what Azure Monitor shows as
//! one; see [`MappingOptions`](crate::mapping::MappingOptions). A request that is kept for it counts as one,
//! with all that belongs to it, because every such request is kept; the others are kept by the
//! rate, and count for those that were not. Numbers stay right for both.
//!
//! - Every span is recorded, also those that are thrown away in the end. That costs the time of recording, and
//!   [span processors](crate::TelemetryBuilder::span_processor) of your own see spans that are not sampled.
//! - Other services decide on their own, and are told ("sampled" in `traceparent`) what the rate
//!   decided when the request began. A failed request may therefore be without the spans of services that it
//!   called.
//! - A request that is slow already is kept before it ends, with what follows.
//! - Where limits are reached, what waits of a trace is sampled by the rate alone at once, and counted in
//!   [`traces_decided_early`](crate::Telemetry::traces_decided_early). A root that then fails is
//!   still kept, with what ends after it.
//! - [`force_flush`](crate::Telemetry::force_flush) does not send what waits for a request under way;
//!   [`shutdown`](crate::Telemetry::shutdown) does, by the rate.

mod fixed_rate;
#[cfg(test)]
mod golden;
mod hash;
mod head;
mod item_count;
mod memory;
mod options;
mod overrides;
mod parent;
mod rate;
mod rate_limited;
mod rate_limiter;
mod tail;
#[cfg(test)]
mod tests;
mod window;

pub use self::fixed_rate::FixedRateSampler;
pub use self::hash::score;
pub(crate) use self::head::HeadSampler;
pub(crate) use self::options::{RateChoice, Sampling, SamplingChoices};
pub use self::overrides::{SamplingOverride, SamplingOverrideError};
pub(crate) use self::parent::Parent;
pub use self::rate_limited::RateLimitedSampler;
pub use self::tail::DecisionLimits;
pub(crate) use self::tail::{DecisionBuffer, Ended, Held, KeepRules, Released, Verdict};
pub use crate::item::TelemetryType;
