mod injection;
mod traceparent;
mod tracestate;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
};
use proptest::prelude::*;

use super::{TraceContextPropagator, extract, inject};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            )
        })
        .collect()
}

struct HeaderInjector<'a>(&'a mut HeaderMap);

impl Injector for HeaderInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::try_from(key).unwrap();
        self.0.insert(name, value.parse().unwrap());
    }
}

struct AllHeaders<'a>(&'a HeaderMap);

impl Extractor for AllHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.0
            .get_all(key)
            .iter()
            .map(|value| value.to_str().ok())
            .collect()
    }
}

/// Starts a span for a request with these headers, and returns the headers of a request from that span. The fast path
/// and the propagator must agree.
fn pass_on(incoming: &HeaderMap, sampler: impl ShouldSample + 'static) -> HeaderMap {
    let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
    let tracer = provider.tracer("test");
    let child = |parent: &Context| parent.with_span(tracer.start_with_context("child", parent));

    let mut fast = HeaderMap::new();
    inject(&child(&extract(&Context::new(), incoming)), &mut fast);

    let propagator = TraceContextPropagator::new();
    let parent = propagator.extract_with_context(&Context::new(), &AllHeaders(incoming));
    let mut standard = HeaderMap::new();
    propagator.inject_context(&child(&parent), &mut HeaderInjector(&mut standard));

    let without_ids = |headers: &HeaderMap| {
        let parent = header(headers, "traceparent");
        let members = header(headers, "tracestate").map(|state| {
            state
                .split(',')
                .map(|member| member.trim().to_owned())
                .filter(|member| !member.is_empty())
                .collect::<Vec<_>>()
        });
        (parent.map(|parent| parent[52..].to_owned()), members)
    };
    assert_eq!(without_ids(&fast), without_ids(&standard));
    fast
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    assert!(headers.get_all(name).iter().count() <= 1);
    headers
        .get(name)
        .map(|value| value.to_str().unwrap().to_owned())
}

fn traceparent_after(pairs: &[(&str, &str)]) -> String {
    header(&pass_on(&headers(pairs), Sampler::AlwaysOn), "traceparent").unwrap()
}

fn tracestate_after(values: &[&str]) -> Option<String> {
    let mut pairs = vec![("traceparent", PARENT)];
    pairs.extend(values.iter().map(|value| ("tracestate", *value)));
    let outgoing = pass_on(&headers(&pairs), Sampler::AlwaysOn);
    assert!(header(&outgoing, "traceparent").unwrap().contains(TRACE));
    header(&outgoing, "tracestate")
}

#[track_caller]
fn assert_continues(parent: &str) {
    let outgoing = traceparent_after(&[("traceparent", parent)]);
    assert!(outgoing.starts_with("00-"), "{outgoing}");
    assert!(outgoing.contains(TRACE), "{parent} began a new trace");
    assert!(!outgoing.contains("00f067aa0ba902b7"), "{outgoing}");
}

#[track_caller]
fn assert_begins(parent: &str) {
    let outgoing = traceparent_after(&[("traceparent", parent)]);
    assert!(!outgoing.contains(TRACE), "{parent} was accepted");
    assert_eq!(outgoing.len(), 55);
}
