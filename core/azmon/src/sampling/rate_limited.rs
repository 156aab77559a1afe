use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingResult, ShouldSample};

use crate::sampling::head::HeadSampler;
use crate::sampling::overrides::Overrides;
use crate::sampling::rate::Rate;

/// Keeps a number of traces per second, by a share that follows the load within tenths of a second.
///
/// For a tracer provider that the application assembles itself;
/// [`TelemetryBuilder::traces_per_second`](crate::TelemetryBuilder::traces_per_second) does the same. The
/// [module](crate::sampling) documents the decision.
///
/// # Examples
///
/// ```
/// use azmon::sampling::RateLimitedSampler;
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder()
///     .with_sampler(RateLimitedSampler::new(5.0))
///     .build();
/// ```
#[derive(Debug, Clone)]
pub struct RateLimitedSampler(HeadSampler);

impl RateLimitedSampler {
    /// Keeps at most about `traces_per_second`; a negative number or NaN keeps none.
    ///
    /// The share is rounded down to 1/N, so that an item stands for a whole number of items: under a steady load, up to
    /// half fewer traces are kept. After an idle time, a burst passes.
    #[must_use]
    pub fn new(traces_per_second: f64) -> Self {
        let rate = Rate::limited(traces_per_second);
        Self(HeadSampler::new(rate, Overrides::default()))
    }

    /// Sets whether a span whose parent is in another service follows that service's decision. Defaults to `false`,
    /// because classic Application Insights SDKs always send "not sampled".
    ///
    /// A span that is kept for another service counts as one, because its rate is unknown.
    #[must_use]
    pub fn follow_remote_parent(self, follow: bool) -> Self {
        Self(self.0.follow_remote_parent(follow))
    }

    /// Sets whether unsampled spans are recorded, so that span processors can count them. Defaults to `false`.
    #[must_use]
    pub fn record_unsampled(self, record: bool) -> Self {
        Self(self.0.record_unsampled(record))
    }
}

impl ShouldSample for RateLimitedSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        self.0
            .should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}
