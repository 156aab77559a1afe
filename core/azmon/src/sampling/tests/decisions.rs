use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt;

use super::*;
use crate::sampling::head::HeadSampler;
use crate::sampling::overrides::Overrides;
use crate::sampling::rate::Rate;
use crate::sampling::{
    FixedRateSampler, RateChoice, RateLimitedSampler, Sampling, SamplingChoices, SamplingOverride,
    score,
};

/// A trace id with a score below 3 percent.
const LOW: u128 = 1;
/// A trace id with a score above 99 percent.
const HIGH: u128 = u128::MAX;

fn standing(traces_per_second: f64) -> HeadSampler {
    let rate = Rate::limited_by(traces_per_second, Arc::new(|| Duration::ZERO));
    HeadSampler::new(rate, Overrides::default())
}

fn root(sampler: &impl ShouldSample, id: u128) -> Option<f64> {
    items(&sample(sampler, None, trace(id), &SpanKind::Server))
}

fn child(sampler: &impl ShouldSample, id: u128, span_id: u64, sampled: bool) -> Option<f64> {
    let parent = parent(trace(id), span_id, sampled, false);
    items(&sample(
        sampler,
        Some(&parent),
        trace(id),
        &SpanKind::Client,
    ))
}

#[test]
fn a_fixed_share_is_kept_at_its_rate_and_the_rest_is_dropped() {
    assert!(score(trace(LOW)) < 0.03 && score(trace(HIGH)) > 0.99);
    let sampler = FixedRateSampler::new(0.25);
    assert_eq!(root(&sampler, LOW), Some(4.0));
    let dropped = sample(&sampler, None, trace(HIGH), &SpanKind::Server);
    assert_eq!(dropped.decision, SamplingDecision::Drop);
    assert!(dropped.attributes.is_empty());
    let recording = sampler.record_unsampled(true);
    let recorded = sample(&recording, None, trace(HIGH), &SpanKind::Server);
    assert_eq!(recorded.decision, SamplingDecision::RecordOnly);
    assert!(recorded.attributes.is_empty());
}

#[test]
fn a_share_is_rounded_down_to_whole_item_counts() {
    let sampler = FixedRateSampler::new(0.3);
    assert_eq!(root(&sampler, LOW), Some(4.0));
    let mut random = fastrand::Rng::with_seed(1);
    let mut ids = std::iter::repeat_with(|| random.u128(..));
    let between = ids.find(|id| (0.26..0.29).contains(&score(trace(*id))));
    assert_eq!(root(&sampler, between.unwrap()), None);
}

#[test]
fn children_follow_their_local_parent_at_a_fixed_rate() {
    let sampler = FixedRateSampler::new(0.25);
    assert_eq!(child(&sampler, HIGH, 1, true), Some(4.0));
    assert_eq!(child(&sampler, LOW, 1, false), None);
}

#[test]
fn the_first_spans_pass_the_rate_limiter() {
    assert_eq!(root(&RateLimitedSampler::new(0.01), HIGH), Some(1.0));
    let sampler = standing(5.0);
    for _ in 0..5 {
        assert_eq!(root(&sampler, HIGH), Some(1.0));
    }
}

#[test]
fn children_of_a_parent_kept_whole_are_not_sampled_again() {
    let sampler = standing(5.0);
    assert_eq!(root(&sampler, HIGH), Some(1.0));
    for other in 2..1_000 {
        root(&sampler, other);
    }
    for span_id in 1..1_000 {
        assert_eq!(child(&sampler, HIGH, span_id, true), Some(1.0));
    }
    // 1,000 roots came in no time, and the window of two seconds allows ten of them.
    assert_eq!(percent_now(&sampler), 1.0, "children do not count");
}

#[test]
fn children_have_the_rate_at_which_their_trace_began() {
    let sampler = standing(2.0);
    let mut rates = Vec::new();
    for id in 1..500 {
        if let Some(items) = root(&sampler, id) {
            rates.push((id, items));
        }
    }
    assert!(rates.iter().any(|(_, items)| *items > 1.0), "{rates:?}");
    for (id, items) in rates {
        assert_eq!(child(&sampler, id, 7, true), Some(items), "trace {id}");
        assert_eq!(child(&sampler, id, 7, false), None);
    }
}

#[test]
fn a_child_of_an_unknown_parent_counts_at_the_rate_of_the_moment() {
    let sampler = standing(1.0);
    for id in 1..=4 {
        root(&sampler, id);
    }
    assert_eq!(child(&sampler, HIGH, 7, true), Some(2.0));
}

#[test]
fn remote_parents_are_followed_only_when_asked() {
    let remote = |sampler: &FixedRateSampler, id, sampled| {
        let parent = parent(trace(id), 9, sampled, true);
        items(&sample(
            sampler,
            Some(&parent),
            trace(id),
            &SpanKind::Server,
        ))
    };
    let sampler = FixedRateSampler::new(0.5);
    assert_eq!(remote(&sampler, LOW, false), Some(2.0));
    assert_eq!(remote(&sampler, HIGH, true), None);
    let following = sampler.follow_remote_parent(true);
    assert_eq!(remote(&following, LOW, false), None);
    assert_eq!(remote(&following, HIGH, true), Some(2.0));
    assert_eq!(root(&following, LOW), Some(2.0));
    let limited = RateLimitedSampler::new(0.0).follow_remote_parent(true);
    let parent = parent(trace(HIGH), 9, true, true);
    let kept = sample(&limited, Some(&parent), trace(HIGH), &SpanKind::Server);
    assert_eq!(items(&kept), Some(1.0));
}

#[test]
fn the_trace_state_is_passed_on() {
    let state = TraceState::from_key_value([("vendor", "value")]).unwrap();
    let flags = TraceFlags::SAMPLED;
    let span_id = SpanId::from_bytes([1; 8]);
    let parent = SpanContext::new(trace(LOW), span_id, flags, true, state.clone());
    let context = Context::new().with_remote_span_context(parent);
    let sampler = FixedRateSampler::new(0.5);
    let result = sample(&sampler, Some(&context), trace(LOW), &SpanKind::Server);
    assert_eq!(result.trace_state, state);
}

/// Decides about a span with an attribute, and starts the span if it is recorded.
fn start(
    sampler: &HeadSampler,
    (trace_id, span_id): (u128, u64),
    parent: Option<&SpanContext>,
    tag: &'static str,
) -> (SpanContext, SamplingResult) {
    let trace_id = trace(trace_id);
    let context = parent.map(|parent| Context::new().with_remote_span_context(parent.clone()));
    let attributes = [KeyValue::new("tag", tag)];
    let kind = SpanKind::Internal;
    let result = sampler.should_sample(context.as_ref(), trace_id, "x", &kind, &attributes, &[]);
    let sampled = result.decision == SamplingDecision::RecordAndSample;
    let flags = TraceFlags::default().with_sampled(sampled);
    let span_id = SpanId::from_bytes(span_id.to_be_bytes());
    let span = SpanContext::new(trace_id, span_id, flags, false, TraceState::default());
    if result.decision != SamplingDecision::Drop {
        sampler.on_start(&span);
    }
    (span, result)
}

#[test]
fn an_override_decides_for_its_span_and_the_descendants_follow() {
    let overrides = Overrides::new(vec![
        SamplingOverride::new(100.0).attribute("tag", "all"),
        SamplingOverride::new(50.0).attribute("tag", "half"),
        SamplingOverride::new(0.0).attribute("tag", "none"),
    ]);
    let sampler = HeadSampler::new(Rate::fixed(0.25), overrides).record_unsampled(true);
    let never = [KeyValue::new("microsoft.sample_rate", 0.0)];
    let (root, kept) = start(&sampler, (LOW, 1), None, "");
    assert_eq!(items(&kept), Some(4.0));
    let (half, kept) = start(&sampler, (LOW, 2), Some(&root), "half");
    assert_eq!(items(&kept), Some(2.0));
    let (below, kept) = start(&sampler, (LOW, 3), Some(&half), "");
    assert_eq!(items(&kept), Some(2.0));
    let (_, kept) = start(&sampler, (LOW, 4), Some(&below), "");
    assert_eq!(items(&kept), Some(2.0));
    let (none, dropped) = start(&sampler, (LOW, 5), Some(&root), "none");
    assert_eq!(dropped.attributes, never);
    let (below, dropped) = start(&sampler, (LOW, 6), Some(&none), "");
    assert_eq!(dropped.attributes, never);
    let (_, kept) = start(&sampler, (LOW, 7), Some(&below), "all");
    assert_eq!(items(&kept), Some(1.0));
    let (_, sibling) = start(&sampler, (LOW, 8), Some(&root), "");
    assert_eq!(items(&sibling), Some(4.0));
}

#[test]
fn an_override_keeps_a_child_of_a_trace_that_is_not_kept() {
    let overrides = Overrides::new(vec![SamplingOverride::new(100.0).attribute("tag", "all")]);
    let sampler = HeadSampler::new(Rate::fixed(0.5), overrides).record_unsampled(true);
    let (root, dropped) = start(&sampler, (HIGH, 1), None, "");
    assert_eq!(items(&dropped), None);
    assert!(dropped.attributes.is_empty());
    let (child, kept) = start(&sampler, (HIGH, 2), Some(&root), "all");
    assert_eq!(items(&kept), Some(1.0));
    let (_, below) = start(&sampler, (HIGH, 3), Some(&child), "");
    assert_eq!(items(&below), Some(1.0));
    let (_, sibling) = start(&sampler, (HIGH, 4), Some(&root), "");
    assert_eq!(items(&sibling), None);
}

#[test]
fn two_roots_of_a_trace_each_pass_their_own_rate_on() {
    let sampler = standing(5.0);
    let (first, kept) = start(&sampler, (LOW, 1), None, "");
    assert_eq!(items(&kept), Some(1.0));
    for other in 2..=20 {
        root(&sampler, other);
    }
    // This span is the 21st in no time, and the window of two seconds allows ten.
    let (second, kept) = start(&sampler, (LOW, 2), None, "");
    assert_eq!(items(&kept), Some(3.0));
    let (below, kept) = start(&sampler, (LOW, 3), Some(&second), "");
    assert_eq!(items(&kept), Some(3.0));
    let (_, kept) = start(&sampler, (LOW, 4), Some(&below), "");
    assert_eq!(items(&kept), Some(3.0));
    let (_, kept) = start(&sampler, (LOW, 5), Some(&first), "");
    assert_eq!(items(&kept), Some(1.0));
}

#[test]
fn a_sampler_of_ones_own_is_used_as_it_is() {
    let choices = SamplingChoices {
        sampler: Some(Box::new(opentelemetry_sdk::trace::Sampler::AlwaysOff)),
        rate: Some(RateChoice::Ratio(1.0)),
        keep: crate::sampling::KeepRules {
            failures: true,
            slower_than: None,
        },
        record_unsampled: true,
        ..SamplingChoices::default()
    };
    let sampling = Sampling::from(choices);
    let result = sampling
        .sampler
        .should_sample(None, trace(LOW), "x", &SpanKind::Server, &[], &[]);
    assert_eq!(result.decision, SamplingDecision::Drop);
    assert!(sampling.head.is_none() && sampling.keep.is_none());
}

#[test]
fn unsampled_spans_are_recorded_where_they_are_counted_or_may_be_kept() {
    let decision = |choices: SamplingChoices| {
        let sampler = Sampling::from(choices).sampler;
        let kind = SpanKind::Server;
        sampler
            .should_sample(None, trace(HIGH), "x", &kind, &[], &[])
            .decision
    };
    let choices = || SamplingChoices {
        rate: Some(RateChoice::Ratio(0.5)),
        ..SamplingChoices::default()
    };
    assert_eq!(decision(choices()), SamplingDecision::Drop);
    let counted = SamplingChoices {
        record_unsampled: true,
        ..choices()
    };
    assert_eq!(decision(counted), SamplingDecision::RecordOnly);
    let mut keeping = choices();
    keeping.keep.slower_than = Some(Duration::from_secs(1));
    assert_eq!(decision(keeping), SamplingDecision::RecordOnly);
    assert_eq!(
        decision(SamplingChoices::default()),
        SamplingDecision::RecordAndSample
    );
}
