use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingResult, ShouldSample};

use crate::sampling::head::HeadSampler;
use crate::sampling::overrides::Overrides;
use crate::sampling::rate::Rate;

/// Keeps a fixed share of traces. It decides by the trace id, as every Application Insights SDK does.
///
/// For a tracer provider that the application assembles itself;
/// [`TelemetryBuilder::sampling_ratio`](crate::TelemetryBuilder::sampling_ratio) does the same. The
/// [module](crate::sampling) documents the decision.
///
/// # Examples
///
/// ```
/// use azmon::sampling::FixedRateSampler;
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder()
///     .with_sampler(FixedRateSampler::new(0.25))
///     .build();
/// ```
#[derive(Debug, Clone)]
pub struct FixedRateSampler(HeadSampler);

impl FixedRateSampler {
    /// Keeps the share `ratio` of traces, from 0 to 1.
    ///
    /// The share is rounded down to 1/N, so that an item stands for a whole number of items: 0.3 keeps a quarter.
    /// Out-of-range values are clamped; NaN means 1.
    #[must_use]
    pub fn new(ratio: f64) -> Self {
        Self(HeadSampler::new(Rate::fixed(ratio), Overrides::default()))
    }

    /// Sets whether a span whose parent is in another service follows that service's decision. Defaults to `false`,
    /// because classic Application Insights SDKs always send "not sampled".
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

impl ShouldSample for FixedRateSampler {
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
