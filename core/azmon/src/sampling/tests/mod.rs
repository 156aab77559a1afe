mod decisions;
mod statistics;

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::sampling::head::HeadSampler;

fn trace(id: u128) -> TraceId {
    TraceId::from_bytes(id.to_be_bytes())
}

fn parent(trace_id: TraceId, span_id: u64, sampled: bool, is_remote: bool) -> Context {
    let flags = TraceFlags::default().with_sampled(sampled);
    let span_id = SpanId::from_bytes(span_id.to_be_bytes());
    let parent = SpanContext::new(trace_id, span_id, flags, is_remote, TraceState::default());
    Context::new().with_remote_span_context(parent)
}

fn sample(
    sampler: &impl ShouldSample,
    parent: Option<&Context>,
    trace_id: TraceId,
    kind: &SpanKind,
) -> SamplingResult {
    sampler.should_sample(parent, trace_id, "x", kind, &[], &[])
}

/// The item count; `None` if the span is not kept.
fn items(result: &SamplingResult) -> Option<f64> {
    let is_kept = result.decision == SamplingDecision::RecordAndSample;
    is_kept.then(|| match result.attributes.as_slice() {
        [] => 1.0,
        [rate] => {
            assert_eq!(rate.key.as_str(), "microsoft.sample_rate");
            let opentelemetry::Value::F64(percent) = rate.value else {
                panic!("{rate:?}")
            };
            100.0 / percent
        }
        more => panic!("{more:?}"),
    })
}

/// The share, in percent, that a sampler currently keeps.
fn percent_now(sampler: &HeadSampler) -> f64 {
    let unknown = parent(trace(0x5eed), 1, true, false);
    sampler.rate_of(unknown.span().span_context()).percent()
}
