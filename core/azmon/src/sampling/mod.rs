//! The sampling of traces, and the numbers that sampled items stand for.
//!
//! By default, everything is kept. If only a share is kept, each item carries the share in percent, and Azure Monitor
//! counts the item as 100 divided by it. If a service keeps 25 %, each received request counts as four, so that numbers
//! and rates in the portal stay correct. Metrics are not sampled. The share travels as the attribute
//! `microsoft.sample_rate` of a span, and becomes `sampleRate` of its items. azmon also reads this attribute from other
//! instrumentation, and its older name, `_MS.sampleRate`.
//!
//! | Setting of [`TelemetryBuilder`](crate::TelemetryBuilder) | Kept | An item counts as | `sampleRate` |
//! |---|---|---|---|
//! | none | everything | 1 | none, which means 100 |
//! | `sampling_ratio(1/N)` | one trace of N, the same in every service with this share | N | 100/N |
//! | `sampling_ratio(0.3)` | the next smaller 1/N: a quarter | 4 | 25 |
//! | `traces_per_second(5.0)` | about five traces per second, by a share 1/N that follows the load | the N at the start of the trace | 100/N |
//! | `sampling_override(..)` | its own percentage of the matching spans or log records | 100 / percentage, rounded up | its own, rounded down to 100/N |
//! | `keep_failures()` | in addition, every failed request, with its children and logs | 1 | none |
//! | `keep_slower_than(2 s)` | in addition, every slower request, with its children and logs | 1 | none |
//! | `follow_remote_parent(true)` | the traces that the calling service keeps | N under a fixed ratio, else 1 | 100/N, or none |
//! | `sampler(..)` | the decision of your sampler; all of the above are ignored | the value of its attribute `microsoft.sample_rate` | that attribute |
//!
//! The environment has equivalent settings, which apply if the code has none:
//!
//! | `OTEL_TRACES_SAMPLER` | `OTEL_TRACES_SAMPLER_ARG` | Same as |
//! |---|---|---|
//! | `always_on`, `always_off` | | `sampling_ratio(1.0)`, `sampling_ratio(0.0)` |
//! | `traceidratio`, `trace_id_ratio` | ratio, 1 if absent | `sampling_ratio` |
//! | `microsoft.fixed_percentage`, `microsoft.fixed.percentage` | ratio from 0 to 1 (not a percentage), 1 if absent | `sampling_ratio` |
//! | `microsoft.rate_limited` | traces per second, 5 if absent | `traces_per_second` |
//! | the samplers of the first two rows, prefixed by `parentbased_` | same as there | the same with `follow_remote_parent(true)` |
//!
//! # The decision
//!
//! The first rule that applies decides:
//! 1. The first [`SamplingOverride`] whose conditions the span meets.
//! 2. The parent in this process: a span is kept if its parent is, at its parent's rate.
//! 3. The parent in another service, if enabled. It is disabled by default, because classic Application Insights SDKs
//!    always send "not sampled".
//! 4. The first span of a trace in this process is kept if its [`score`] is below the share.
//!
//! The score depends on the trace id alone, and is the same in every Application Insights SDK. Services with the same
//! share therefore keep the same complete traces. A service with a smaller share keeps a subset of the traces of the
//! others.
//!
//! # The rate of child spans
//!
//! OpenTelemetry tells a sampler whether the parent is sampled, but not the parent's attributes. With a fixed ratio and
//! without overrides only one rate exists. Otherwise a table of 16,384 slots holds the rate of each trace by trace id,
//! and the rate of each span that differs from its trace by span id. The table is local to the process. If the slot of
//! an old trace has been reused, its spans are still kept if and only if their parent is, but they count at the current
//! rate.
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
//! The decision about a trace then waits until its first span in this process, the local root, ends. Until then its
//! spans and logs wait in memory, within [`DecisionLimits`]. A failure is a request that Azure Monitor shows as failed;
//! see [`MappingOptions`](crate::mapping::MappingOptions). A failed or slow request counts as one, with everything that
//! belongs to it, because every such request is kept. The rate decides about the other requests, which also count for
//! the dropped ones. The numbers are correct for both.
//!
//! - Every span is recorded, even if it is dropped in the end. This costs the time of recording, and your own [span
//!   processors](crate::TelemetryBuilder::span_processor) see unsampled spans.
//! - Other services decide on their own. They receive the decision of the rate at the start of the request, as the
//!   sampled flag of `traceparent`. A failed request may therefore lack the spans of the services that it called.
//! - A request that is already slow is kept before it ends, with everything that follows.
//! - If the limits are reached, the rate alone decides at once about the waiting items of a trace, which is counted in
//!   [`traces_decided_early`](crate::Telemetry::traces_decided_early). If its root then fails, the root is still kept,
//!   with everything that ends later.
//! - [`force_flush`](crate::Telemetry::force_flush) does not send the waiting items of a running request;
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
pub(crate) use self::tail::{DecisionBuffer, EndedSpan, Held, KeepRules, Released, TailDecision};
pub use crate::item::TelemetryType;
