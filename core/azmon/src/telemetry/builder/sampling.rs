use std::time::Duration;

use opentelemetry_sdk::trace::ShouldSample;

use crate::sampling::{DecisionLimits, RateChoice, SamplingOverride};
use crate::telemetry::TelemetryBuilder;

/// Sampling; how the settings work together is said in [`sampling`](crate::sampling).
impl TelemetryBuilder {
    /// Sets the sampler. Defaults to the one that `OTEL_TRACES_SAMPLER` names, then to keeping every span.
    ///
    /// It is used as it is: ratio, limit, overrides and kept failures are then left out. A sampler that
    /// keeps a share of the spans should write it, in percent, as the attribute `microsoft.sample_rate`, so
    /// that Azure Monitor counts right.
    #[must_use]
    pub fn sampler(mut self, sampler: impl ShouldSample + 'static) -> Self {
        self.choices.sampling.sampler = Some(Box::new(sampler));
        self
    }

    /// Keeps a share of the traces, from 0 to 1, instead of what `OTEL_TRACES_SAMPLER` says.
    ///
    /// It is rounded down to 1/N, so that items stand for a whole number of others: 0.3 keeps a quarter.
    /// What is outside is the nearer end, and no number is 1.
    #[must_use]
    pub fn sampling_ratio(mut self, ratio: f64) -> Self {
        self.choices.sampling.rate = Some(RateChoice::Ratio(ratio));
        self
    }

    /// Keeps about so many traces a second, instead of what `OTEL_TRACES_SAMPLER` says.
    ///
    /// The share follows the load within tenths of a second, and is rounded down to 1/N, so that under a
    /// steady load up to half fewer traces are kept. What is negative, or no number, keeps none.
    #[must_use]
    pub fn traces_per_second(mut self, traces: f64) -> Self {
        self.choices.sampling.rate = Some(RateChoice::TracesPerSecond(traces));
        self
    }

    /// Sets whether a request whose parent is in another service follows that service's decision.
    ///
    /// Defaults to `false`, since classic Application Insights SDKs send "not sampled" whatever they do;
    /// or to `true` after `parentbased_` in `OTEL_TRACES_SAMPLER`.
    #[must_use]
    pub fn follow_remote_parent(mut self, follow: bool) -> Self {
        self.choices.sampling.follow_remote_parent = Some(follow);
        self
    }

    /// Adds a rate for some spans, that goes before all others. The first that applies decides.
    #[must_use]
    pub fn sampling_override(mut self, rule: SamplingOverride) -> Self {
        self.choices.sampling.overrides.push(rule);
        self
    }

    /// Keeps every request that fails, with its children and logs, however few others are kept.
    ///
    /// [`sampling`](crate::sampling#failures-and-slow-requests) says how, and what it costs.
    #[must_use]
    pub fn keep_failures(mut self) -> Self {
        self.choices.sampling.keep.failures = true;
        self
    }

    /// Keeps every request that takes longer, with its children and logs, however few others are kept.
    ///
    /// [`sampling`](crate::sampling#failures-and-slow-requests) says how, and what it costs.
    #[must_use]
    pub fn keep_slower_than(mut self, duration: Duration) -> Self {
        self.choices.sampling.keep.slower_than = Some(duration);
        self
    }

    /// Sets how much may wait where failures or slow requests are kept.
    #[must_use]
    pub fn decision_limits(mut self, limits: DecisionLimits) -> Self {
        self.choices.sampling.limits = limits;
        self
    }
}
