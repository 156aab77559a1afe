//! Sampling end to end: from spans to received items and their rates.

use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, Envelope};
use azmon::sampling::{DecisionLimits, SamplingOverride, TelemetryType};
use azmon::testing::InMemoryDestination;
use azmon::{Telemetry, TelemetryBuilder};
use opentelemetry::trace::{
    Span, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue};

use crate::support;

/// A trace id with the score 2.3 percent: every ratio from 1/42 on keeps it.
const LOW: u128 = 1;
/// A trace id with the score 99.96 percent: only the ratio 1 keeps it.
const HIGH: u128 = u128::MAX;

const OK: i64 = 200;
const ERROR: i64 = 500;

struct Service {
    telemetry: Telemetry,
    destination: InMemoryDestination,
}

impl Service {
    fn new(configure: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder) -> Self {
        let destination = InMemoryDestination::new();
        let builder = Telemetry::builder()
            .destination(&destination)
            .install_globally(false)
            .max_export_delay(support::NEVER);
        Self {
            telemetry: configure(builder).build().unwrap(),
            destination,
        }
    }

    /// A request of an unsampled caller, as classic SDKs send it.
    fn start(&self, trace_id: u128, path: &'static str) -> Context {
        self.start_with(trace_id, vec![KeyValue::new("url.path", path)])
    }

    fn start_with(&self, trace_id: u128, attributes: Vec<KeyValue>) -> Context {
        let caller = SpanContext::new(
            TraceId::from_bytes(trace_id.to_be_bytes()),
            SpanId::from_bytes([9; 8]),
            TraceFlags::default(),
            true,
            TraceState::default(),
        );
        let tracer = self.telemetry.tracer_provider().tracer("it");
        let builder = tracer
            .span_builder("request")
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let caller = Context::new().with_remote_span_context(caller);
        let span = tracer.build_with_context(builder, &caller);
        Context::new().with_span(span)
    }

    fn call(&self, request: &Context, name: &'static str) {
        let tracer = self.telemetry.tracer_provider().tracer("it");
        let builder = tracer.span_builder(name).with_kind(SpanKind::Client);
        let mut span = tracer.build_with_context(builder, request);
        span.add_event("event", Vec::new());
        span.end();
    }

    fn end(request: &Context, status: i64) {
        let span = request.span();
        span.set_attribute(KeyValue::new("http.response.status_code", status));
        span.end();
    }

    fn serve(&self, trace_id: u128, path: &'static str, status: i64) {
        let request = self.start(trace_id, path);
        self.call(&request, "call");
        Self::end(&request, status);
    }

    /// Types and rates of the items received since the last call.
    fn arrived(&self) -> Vec<(&'static str, Option<f64>)> {
        self.telemetry.force_flush().unwrap();
        let envelopes = self.destination.envelopes();
        self.destination.clear();
        envelopes.iter().map(shown).collect()
    }
}

fn shown(envelope: &Envelope<'_>) -> (&'static str, Option<f64>) {
    let kind = match &envelope.data {
        Data::Request(_) => "request",
        Data::RemoteDependency(_) => "dependency",
        Data::Message(_) => "message",
        other => panic!("{other:?}"),
    };
    (kind, envelope.sample_rate)
}

fn all_at(rate: Option<f64>) -> Vec<(&'static str, Option<f64>)> {
    vec![("request", rate), ("dependency", rate), ("message", rate)]
}

#[test]
fn a_share_of_traces_arrives_whole_with_its_rate() {
    let service = Service::new(|builder| builder.sampling_ratio(0.25));
    service.serve(LOW, "/", OK);
    service.serve(HIGH, "/", ERROR);
    assert_eq!(service.arrived(), all_at(Some(25.0)));
}

#[test]
fn items_count_right_where_attributes_are_limited() {
    const REQUESTS: u128 = 2_000;
    const MAX_BYTES: usize = 4 << 20;
    let service = Service::new(|builder| {
        builder
            .sampling_ratio(0.1)
            .standard_metrics(true)
            .environment(|variable| match variable {
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" => Some("5".to_owned()),
                "AZMON_MAX_QUEUE_BYTES" => Some(MAX_BYTES.to_string()),
                _ => None,
            })
    });
    for number in 0..REQUESTS {
        let trace_id = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let attribute = |key| KeyValue::new(format!("key{key}"), "x".repeat(100));
        let (early, late): (Vec<_>, Vec<_>) = match number % 2 {
            0 => ((0..9).map(attribute).collect(), Vec::new()),
            _ => (Vec::new(), (0..9).map(attribute).collect()),
        };
        let request = service.start_with(trace_id, early);
        for attribute in late {
            request.span().set_attribute(attribute);
        }
        Service::end(&request, OK);
        if number % 100 == 0 {
            assert!(service.telemetry.statistics().queue_bytes <= MAX_BYTES);
        }
    }
    service.telemetry.force_flush().unwrap();
    let envelopes = service.destination.envelopes();
    let requests = envelopes
        .iter()
        .filter(|envelope| matches!(envelope.data, Data::Request(_)));
    let (mut counted, mut kept) = (0.0, 0);
    for request in requests {
        assert_eq!(request.sample_rate, Some(10.0));
        let own = request
            .data
            .properties()
            .iter()
            .filter(|(key, _)| key.starts_with("key"));
        // The attribute of the sampler is one of the five, if there is room.
        assert!((4..=5).contains(&own.count()));
        counted += 100.0 / request.sample_rate.unwrap_or(100.0);
        kept += 1;
    }
    assert!((1_800.0..2_200.0).contains(&counted), "{counted} of {kept}");
    // The status is one of the attributes that are cut.
    let series = crate::metrics::metrics(&envelopes, "requests/duration").into_iter();
    let all: i64 = series.filter_map(|(_, point)| point.count).sum();
    assert_eq!(all, REQUESTS as i64);
    assert_eq!(service.telemetry.dropped_items(), []);
}

#[test]
fn the_environment_names_the_sampler() {
    for (name, argument, low, high) in [
        ("microsoft.fixed_percentage", "0.25", Some(Some(25.0)), None),
        ("microsoft.fixed.percentage", "0.25", Some(Some(25.0)), None),
        ("traceidratio", "0.1", Some(Some(10.0)), None),
        ("microsoft.rate_limited", "100", Some(None), Some(None)),
        ("microsoft.rate_limited", "0", None, None),
        ("always_on", "", Some(None), Some(None)),
        ("always_off", "", None, None),
        // The callers are unsampled, and the sampler follows them.
        ("parentbased_always_on", "", None, None),
    ] {
        let service = Service::new(|builder| {
            builder.environment(move |variable| match variable {
                "OTEL_TRACES_SAMPLER" => Some(name.to_owned()),
                "OTEL_TRACES_SAMPLER_ARG" => Some(argument.to_owned()),
                _ => None,
            })
        });
        for (trace_id, rate) in [(LOW, low), (HIGH, high)] {
            service.serve(trace_id, "/", OK);
            let expected = rate.map(all_at).unwrap_or_default();
            assert_eq!(service.arrived(), expected, "{name} {argument}");
        }
    }
}

#[test]
fn a_rate_limit_keeps_the_first_requests_and_all_their_children() {
    let service = Service::new(|builder| builder.traces_per_second(5.0));
    let request = service.start(HIGH, "/");
    for _ in 0..100 {
        service.call(&request, "call");
    }
    Service::end(&request, OK);
    let arrived = service.arrived();
    assert_eq!(arrived.len(), 201);
    assert!(arrived.iter().all(|(_, rate)| rate.is_none()));
}

#[test]
fn failures_are_kept_whole_and_stand_for_themselves() {
    let service = Service::new(|builder| builder.sampling_ratio(0.25).keep_failures());
    service.serve(HIGH, "/", OK);
    assert_eq!(service.arrived(), []);
    service.serve(LOW, "/", OK);
    assert_eq!(service.arrived(), all_at(Some(25.0)));
    for trace_id in [LOW, HIGH] {
        service.serve(trace_id, "/", ERROR);
        assert_eq!(service.arrived(), all_at(None));
    }
    assert_eq!(service.telemetry.traces_decided_early(), 0);
}

#[test]
fn spans_and_logs_of_a_failed_request_are_kept_with_it() {
    let service = Service::new(|builder| builder.sampling_ratio(0.25).keep_failures());
    let request = service.start(HIGH, "/");
    let tracer = service.telemetry.tracer_provider().tracer("it");
    let mut background = tracer.start_with_context("background", &request);
    Service::end(&request, ERROR);
    assert_eq!(service.arrived(), [("request", None)]);
    background.end();
    assert_eq!(service.arrived(), [("dependency", None)]);
}

#[test]
fn slow_requests_are_kept_whole() {
    let limit = Duration::from_secs(2);
    let service = Service::new(|builder| builder.sampling_ratio(0.25).keep_slower_than(limit));
    for (over, expected) in [
        (Duration::ZERO, Vec::new()),
        (Duration::from_nanos(1), all_at(None)),
    ] {
        let start = SystemTime::now();
        let tracer = service.telemetry.tracer_provider().tracer("it");
        let trace_id = TraceId::from_bytes(HIGH.to_be_bytes());
        let flags = TraceFlags::default();
        let span_id = SpanId::from_bytes([9; 8]);
        let caller = SpanContext::new(trace_id, span_id, flags, true, TraceState::default());
        let builder = tracer
            .span_builder("request")
            .with_kind(SpanKind::Server)
            .with_start_time(start);
        let caller = Context::new().with_remote_span_context(caller);
        let request = Context::new().with_span(tracer.build_with_context(builder, &caller));
        service.call(&request, "call");
        request.span().end_with_timestamp(start + limit + over);
        assert_eq!(service.arrived(), expected, "{over:?}");
    }
}

#[test]
fn a_shutdown_sends_items_that_wait_for_their_request_and_a_flush_does_not() {
    let service = Service::new(|builder| builder.sampling_ratio(0.25).keep_failures());
    let request = service.start(LOW, "/");
    service.call(&request, "call");
    assert_eq!(service.arrived(), []);
    service.telemetry.shutdown(Duration::from_secs(5)).unwrap();
    let envelopes = service.destination.envelopes();
    let arrived: Vec<_> = envelopes.iter().map(shown).collect();
    assert_eq!(arrived, all_at(Some(25.0))[1..]);
    assert_eq!(service.telemetry.traces_decided_early(), 1);
}

#[test]
fn without_room_to_wait_the_rate_decides_about_all_but_the_failed_request() {
    let service = Service::new(|builder| {
        builder
            .sampling_ratio(0.25)
            .keep_failures()
            .decision_limits(DecisionLimits::new().traces(0))
    });
    service.serve(HIGH, "/", ERROR);
    assert_eq!(service.arrived(), [("request", None)]);
    assert_eq!(service.telemetry.traces_decided_early(), 1);
}

#[test]
fn overrides_go_before_the_ratio_and_leave_out_failures_too() {
    let service = Service::new(|builder| {
        let health = SamplingOverride::new(0.0).attribute("url.path", "/healthz");
        let checkout = SamplingOverride::new(100.0)
            .telemetry_type(TelemetryType::Request)
            .attribute_regex("url.path", "/checkout/.*")
            .unwrap();
        builder
            .sampling_ratio(0.25)
            .sampling_override(health)
            .sampling_override(checkout)
            .keep_failures()
    });
    service.serve(LOW, "/healthz", ERROR);
    assert_eq!(service.arrived(), []);
    service.serve(HIGH, "/checkout/1", OK);
    assert_eq!(service.arrived(), all_at(None));
    service.serve(LOW, "/", OK);
    assert_eq!(service.arrived(), all_at(Some(25.0)));
}

#[test]
fn a_sampler_of_ones_own_is_never_replaced() {
    let off = opentelemetry_sdk::trace::Sampler::AlwaysOff;
    let service = Service::new(|builder| builder.sampler(off).sampling_ratio(1.0).keep_failures());
    service.serve(LOW, "/", ERROR);
    assert_eq!(service.arrived(), []);
}

#[test]
fn failures_are_kept_from_many_threads() {
    const THREADS: u128 = 4;
    const REQUESTS: u128 = 400;
    let service = Service::new(|builder| builder.sampling_ratio(1.0 / 1_000_000.0).keep_failures());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let service = &service;
            scope.spawn(move || {
                for number in 0..REQUESTS {
                    let trace_id = HIGH - (thread * REQUESTS + number);
                    let status = if number % 8 == 0 { ERROR } else { OK };
                    service.serve(trace_id, "/", status);
                }
            });
        }
    });
    let arrived = service.arrived();
    for item in all_at(None) {
        let number = arrived.iter().filter(|arrived| **arrived == item).count();
        assert_eq!(number as u128, THREADS * REQUESTS / 8, "{item:?}");
    }
}
