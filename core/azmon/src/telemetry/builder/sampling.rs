use std::time::Duration;

use opentelemetry_sdk::trace::ShouldSample;

use crate::sampling::{DecisionLimits, RateChoice, SamplingOverride};
use crate::telemetry::TelemetryBuilder;

/// Sampling; [`sampling`](crate::sampling) documents how the settings work together.
impl TelemetryBuilder {
    /// Sets the sampler. Defaults to the sampler of `OTEL_TRACES_SAMPLER`, then to keeping every span.
    ///
    /// The sampler is used unchanged: ratio, limit, overrides and kept failures are then ignored. A sampler that keeps
    /// a share of the spans should set the share, in percent, as the attribute `microsoft.sample_rate`, so that Azure
    /// Monitor counts correctly.
    #[must_use]
    pub fn sampler(mut self, sampler: impl ShouldSample + 'static) -> Self {
        self.choices.sampling.sampler = Some(Box::new(sampler));
        self
    }

    /// Keeps a share of the traces, from 0 to 1. Overrides `OTEL_TRACES_SAMPLER`.
    ///
    /// The share is rounded down to 1/N, so that an item stands for a whole number of items: 0.3 keeps a quarter.
    /// Out-of-range values are clamped; NaN means 1.
    #[must_use]
    pub fn sampling_ratio(mut self, ratio: f64) -> Self {
        self.choices.sampling.rate = Some(RateChoice::Ratio(ratio));
        self
    }

    /// Keeps about this number of traces per second. Overrides `OTEL_TRACES_SAMPLER`.
    ///
    /// The share follows the load within tenths of a second. It is rounded down to 1/N, so under a steady load up to
    /// half fewer traces are kept. A negative number or NaN keeps none.
    #[must_use]
    pub fn traces_per_second(mut self, traces: f64) -> Self {
        self.choices.sampling.rate = Some(RateChoice::TracesPerSecond(traces));
        self
    }

    /// Sets whether a request whose parent is in another service follows that service's decision.
    ///
    /// Defaults to `false`, because classic Application Insights SDKs always send "not sampled"; or to `true` with a
    /// `parentbased_` sampler in `OTEL_TRACES_SAMPLER`.
    #[must_use]
    pub fn follow_remote_parent(mut self, follow: bool) -> Self {
        self.choices.sampling.follow_remote_parent = Some(follow);
        self
    }

    /// Adds a sampling override. Overrides precede every other rule; the first match wins.
    #[must_use]
    pub fn sampling_override(mut self, rule: SamplingOverride) -> Self {
        self.choices.sampling.overrides.push(rule);
        self
    }

    /// Keeps every failed request, with its children and logs, regardless of the sampling rate.
    ///
    /// [`sampling`](crate::sampling#failures-and-slow-requests) documents the method and its costs.
    #[must_use]
    pub fn keep_failures(mut self) -> Self {
        self.choices.sampling.keep.failures = true;
        self
    }

    /// Keeps every request that takes longer than `duration`, with its children and logs, regardless of the sampling
    /// rate.
    ///
    /// [`sampling`](crate::sampling#failures-and-slow-requests) documents the method and its costs.
    #[must_use]
    pub fn keep_slower_than(mut self, duration: Duration) -> Self {
        self.choices.sampling.keep.slower_than = Some(duration);
        self
    }

    /// Sets the limits of waiting items if failures or slow requests are kept.
    #[must_use]
    pub fn decision_limits(mut self, limits: DecisionLimits) -> Self {
        self.choices.sampling.limits = limits;
        self
    }
}
