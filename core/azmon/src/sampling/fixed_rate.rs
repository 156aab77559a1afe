use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingResult, ShouldSample};

use crate::sampling::head::HeadSampler;
use crate::sampling::overrides::Overrides;
use crate::sampling::rate::Rate;

/// Keeps a fixed share of traces, chosen by the trace id as every Application Insights SDK does.
///
/// For a tracer provider that is put together by hand;
/// [`TelemetryBuilder::sampling_ratio`](crate::TelemetryBuilder::sampling_ratio) uses the same. The
/// [module](crate::sampling) says how it decides.
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
    /// It is rounded down to 1/N, so that items stand for a whole number of others: 0.3 keeps a quarter.
    /// What is outside is the nearer end, and no number is 1.
    #[must_use]
    pub fn new(ratio: f64) -> Self {
        Self(HeadSampler::new(Rate::fixed(ratio), Overrides::default()))
    }

    /// Sets whether a span whose parent is in another service follows that service's decision. Defaults to
    /// `false`, since classic Application Insights SDKs send "not sampled" whatever they do.
    #[must_use]
    pub fn follow_remote_parent(self, follow: bool) -> Self {
        Self(self.0.follow_remote_parent(follow))
    }

    /// Sets whether spans that are not kept are recorded all the same, so that span processors can count
    /// them. Defaults to `false`.
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
