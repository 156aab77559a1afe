//! Over a million traces with random ids, the kept share and the sum of item counts are correct.
//!
//! Ids and times come from generators with fixed seeds: the tests always use the same million.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

use super::*;
use crate::fixtures::span;
use crate::item::Item;
use crate::item::sample_rate;
use crate::mapping::MappingOptions;
use crate::sampling::head::HeadSampler;
use crate::sampling::overrides::Overrides;
use crate::sampling::rate::Rate;
use crate::sampling::{
    DecisionBuffer, DecisionLimits, EndedSpan, FixedRateSampler, Held, KeepRules, Released,
    TailDecision,
};

const TRACES: u32 = 1_000_000;
const TOLERANCE: f64 = 0.01;

fn assert_close(what: &str, actual: f64, truth: f64) {
    let error = (actual - truth).abs() / truth;
    assert!(error < TOLERANCE, "{what}: {actual} instead of {truth}");
}

#[test]
fn a_fixed_rate_keeps_its_share_and_counts_the_truth() {
    let rates = [(0.5, 0.5), (0.3, 0.25), (0.1, 0.1)];
    let samplers = rates.map(|(ratio, _)| FixedRateSampler::new(ratio));
    let mut ids = Rng::with_seed(1);
    let (mut kept, mut counted) = ([0.0; 3], [0.0; 3]);
    for _ in 0..TRACES {
        let trace_id = trace(ids.u128(..));
        for (number, sampler) in samplers.iter().enumerate() {
            if let Some(items) = items(&sample(sampler, None, trace_id, &SpanKind::Server)) {
                kept[number] += 1.0;
                counted[number] += items;
            }
        }
    }
    for (number, (ratio, share)) in rates.into_iter().enumerate() {
        let what = format!("at {ratio}");
        assert_close(&what, kept[number], share * f64::from(TRACES));
        assert_close(&what, counted[number], f64::from(TRACES));
    }
}

/// Traces that arrive at random, a thousand per second on average.
struct Arrivals {
    random: Rng,
    nanoseconds: Arc<AtomicU64>,
}

impl Arrivals {
    fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            nanoseconds: Arc::new(AtomicU64::new(0)),
        }
    }

    fn sampler(&self, traces_per_second: f64) -> HeadSampler {
        let time = self.nanoseconds.clone();
        let clock = Arc::new(move || Duration::from_nanos(time.load(Ordering::Relaxed)));
        HeadSampler::new(
            Rate::limited_by(traces_per_second, clock),
            Overrides::default(),
        )
    }

    fn next(&mut self) -> TraceId {
        let pause = -(1.0 - self.random.f64()).ln() * 1e6;
        self.nanoseconds.fetch_add(pause as u64, Ordering::Relaxed);
        trace(self.random.u128(..))
    }
}

#[test]
fn a_rate_limit_keeps_its_share_and_counts_the_truth() {
    let mut arrivals = Arrivals::new(2);
    let target = 400.0;
    let sampler = arrivals.sampler(target);
    let (mut kept, mut expected, mut counted) = (0.0, 0.0, 0.0);
    for _ in 0..TRACES {
        let trace_id = arrivals.next();
        let result = sample(&sampler, None, trace_id, &SpanKind::Server);
        expected += percent_now(&sampler) / 100.0;
        if let Some(items) = items(&result) {
            kept += 1.0;
            counted += items;
        }
    }
    assert_close("kept", kept, expected);
    assert_close("counted", counted, f64::from(TRACES));
    let per_second = kept / (arrivals.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9);
    assert!(per_second < target * 1.01, "{per_second}");
    assert!(per_second > target / 2.0, "{per_second}");
}

/// A service whose requests have two dependencies; one of these ends after the request.
struct Service {
    sampler: HeadSampler,
    buffer: DecisionBuffer,
    rules: KeepRules,
    now: Instant,
    kept_requests: [f64; 2],
    counted_requests: [f64; 2],
    counted_dependencies: [f64; 2],
}

impl Service {
    fn new(sampler: HeadSampler, limits: DecisionLimits) -> Self {
        let now = Instant::now();
        Self {
            sampler: sampler.record_unsampled(true),
            buffer: DecisionBuffer::new(limits, None, now),
            rules: KeepRules {
                failures: true,
                slower_than: None,
            },
            now,
            kept_requests: [0.0; 2],
            counted_requests: [0.0; 2],
            counted_dependencies: [0.0; 2],
        }
    }

    fn serve(&mut self, trace_id: TraceId, fails: bool) {
        let mut request = self.start(trace_id, None);
        let root = request.span_context.clone();
        let [early, late] = [(); 2].map(|()| self.start(trace_id, Some(&root)));
        self.end(early, fails);
        if fails {
            request.status = Status::error("failed");
        }
        self.end(request, fails);
        self.end(late, fails);
    }

    fn start(&self, trace_id: TraceId, parent: Option<&SpanContext>) -> SpanData {
        let context = parent.map(|parent| Context::new().with_remote_span_context(parent.clone()));
        let result = sample(&self.sampler, context.as_ref(), trace_id, &SpanKind::Server);
        let sampled = result.decision == SamplingDecision::RecordAndSample;
        let flags = TraceFlags::default().with_sampled(sampled);
        let span_id = SpanId::from_bytes([7; 8]);
        self.buffer.start(trace_id, parent.is_none(), self.now);
        SpanData {
            span_context: SpanContext::new(trace_id, span_id, flags, false, TraceState::default()),
            parent_span_id: parent.map_or(SpanId::INVALID, SpanContext::span_id),
            attributes: result.attributes,
            ..span("x")
        }
    }

    fn end(&mut self, span: SpanData, fails: bool) {
        let is_root = span.parent_span_id == SpanId::INVALID;
        let sampled = span.span_context.is_sampled();
        let ended = EndedSpan {
            trace_id: span.span_context.trace_id(),
            is_root,
            keep: is_root && self.rules.keep((&span).into(), &MappingOptions::default()),
            item: Some(Held::new(span.into(), sampled)),
        };
        let released = self.buffer.end(ended, self.now);
        self.count(released, usize::from(fails));
    }

    fn count(&mut self, released: Released, fails: usize) {
        for mut held in released.items {
            if released.verdict == TailDecision::Whole {
                held.item.count_once();
            } else if !held.kept_by_rate {
                continue;
            }
            let Item::Span(span) = held.item else {
                panic!("a span")
            };
            let result = SamplingResult {
                decision: SamplingDecision::RecordAndSample,
                attributes: span.data().attributes.clone(),
                trace_state: TraceState::default(),
            };
            let told = items(&result).map(|items| 100.0 / items);
            let items = 100.0 / sample_rate::percent(span.rate(), told).unwrap_or(100.0);
            if span.data().parent_span_id == SpanId::INVALID {
                self.kept_requests[fails] += 1.0;
                self.counted_requests[fails] += items;
            } else {
                self.counted_dependencies[fails] += items;
            }
        }
    }

    fn assert_counts(&self, requests: [f64; 2]) {
        for (what, fails) in [("successes", 0), ("failures", 1)] {
            let [counted, dependencies] = [
                self.counted_requests[fails],
                self.counted_dependencies[fails],
            ];
            assert_close(what, counted, requests[fails]);
            assert_close(what, dependencies, 2.0 * requests[fails]);
        }
    }
}

/// Serves `number` requests; one of 20 fails.
fn serve(service: &mut Service, number: u32, arrivals: &mut Arrivals) -> [f64; 2] {
    let mut random = Rng::with_seed(3);
    let mut requests = [0.0; 2];
    for _ in 0..number {
        let fails = random.u32(..20) == 0;
        requests[usize::from(fails)] += 1.0;
        service.serve(arrivals.next(), fails);
    }
    assert_eq!(service.kept_requests[1], requests[1], "every failure");
    service.assert_counts(requests);
    requests
}

#[test]
fn kept_failures_count_the_truth_beside_a_fixed_rate() {
    let sampler = HeadSampler::new(Rate::fixed(0.1), Overrides::default());
    let mut service = Service::new(sampler, DecisionLimits::new());
    let requests = serve(&mut service, TRACES, &mut Arrivals::new(4));
    assert_eq!(service.counted_requests[1], requests[1]);
    assert_eq!(service.counted_dependencies[1], 2.0 * requests[1]);
    assert_close("kept", service.kept_requests[0], requests[0] * 0.1);
    assert_eq!(service.buffer.decided_early(), 0);
}

#[test]
fn kept_failures_count_the_truth_beside_a_rate_limit() {
    let mut arrivals = Arrivals::new(5);
    let sampler = arrivals.sampler(400.0);
    let mut service = Service::new(sampler, DecisionLimits::new());
    let requests = serve(&mut service, TRACES / 4, &mut arrivals);
    assert_eq!(service.counted_requests[1], requests[1]);
}

#[test]
fn kept_failures_count_the_truth_where_nothing_may_wait() {
    let sampler = HeadSampler::new(Rate::fixed(0.5), Overrides::default());
    let mut service = Service::new(sampler, DecisionLimits::new().items(0));
    serve(&mut service, TRACES / 4, &mut Arrivals::new(6));
    assert_eq!(service.buffer.decided_early(), u64::from(TRACES / 4));
}
