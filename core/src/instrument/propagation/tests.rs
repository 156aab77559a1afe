use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
};
use proptest::prelude::*;

use super::carrier::HeaderInjector;
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

/// Makes a span for a request with these headers, and the headers of a request out of that span: once
/// by the fast path and once by the propagator, which must agree.
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

#[test]
fn a_valid_parent_is_continued_in_version_00() {
    assert_continues(PARENT);
    assert_continues(&format!("cc{}", &PARENT[2..]));
}

#[test]
fn white_space_around_the_parent_is_ignored() {
    assert_continues(&format!(" \t{PARENT}\t "));
}

#[test]
fn the_names_of_headers_are_in_any_case() {
    let outgoing = traceparent_after(&[("TraceParent", PARENT)]);
    assert!(outgoing.contains(TRACE));
}

#[test]
fn version_ff_is_invalid() {
    assert_begins(&format!("ff{}", &PARENT[2..]));
}

#[test]
fn version_00_has_55_bytes() {
    assert_begins(&format!("{PARENT}-01"));
    assert_begins(&format!("{PARENT}."));
    assert_begins(&PARENT[..54]);
}

#[test]
fn a_higher_version_may_go_on_after_a_dash() {
    assert_continues(&format!("cc{}-what-follows", &PARENT[2..]));
    assert_continues(&format!("cc{}-", &PARENT[2..]));
    assert_begins(&format!("cc{}.what-follows", &PARENT[2..]));
}

#[test]
fn ids_of_zeros_are_invalid() {
    assert_begins(&PARENT.replace(TRACE, &"0".repeat(32)));
    assert_begins(&PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)));
}

#[test]
fn fields_are_lower_case_hexadecimal_of_their_length() {
    for parent in [
        PARENT.to_uppercase(),
        PARENT.replace("4bf9", "4bg9"),
        PARENT.replace("4bf9", "4BF9"),
        PARENT.replace("00f067aa", "00f067a."),
        PARENT.replace("-01", "-0x"),
        PARENT.replace("-01", "-1"),
        PARENT.replacen("00-", "0-", 1),
        PARENT.replacen("00-", "0x-", 1),
        PARENT.replace('-', "_"),
        PARENT.replace("4736-00", "473-600"),
        String::new(),
        "garbage".to_owned(),
    ] {
        assert_begins(&parent);
    }
}

#[test]
fn a_repeated_parent_is_invalid() {
    let outgoing = traceparent_after(&[("traceparent", PARENT), ("traceparent", PARENT)]);
    assert!(!outgoing.contains(TRACE));
}

#[test]
fn only_the_flags_that_are_known_are_passed_on() {
    for (received, sent) in [
        ("00", "00"),
        ("01", "01"),
        ("02", "02"),
        ("03", "03"),
        ("ff", "03"),
    ] {
        let parent = format!("{}{received}", &PARENT[..53]);
        let outgoing = pass_on(
            &headers(&[("traceparent", &parent)]),
            Sampler::ParentBased(Box::new(Sampler::AlwaysOff)),
        );
        let outgoing = header(&outgoing, "traceparent").unwrap();
        assert_eq!(&outgoing[53..], sent, "{received}");
    }
}

#[test]
fn a_trace_that_begins_here_has_the_random_flag() {
    let recorded = pass_on(&HeaderMap::new(), Sampler::AlwaysOn);
    assert!(header(&recorded, "traceparent").unwrap().ends_with("-03"));
    let dropped = pass_on(&HeaderMap::new(), Sampler::AlwaysOff);
    assert!(header(&dropped, "traceparent").unwrap().ends_with("-02"));
}

#[test]
fn a_trace_that_begins_inside_of_a_request_of_another_has_the_random_flag() {
    let request = extract(&Context::new(), &headers(&[("traceparent", PARENT)]));
    let provider = SdkTracerProvider::builder().build();
    let tracer = provider.tracer("test");
    let root = tracer.start_with_context("root", &Context::new());
    let mut outgoing = HeaderMap::new();
    inject(&request.with_span(root), &mut outgoing);
    assert!(header(&outgoing, "traceparent").unwrap().ends_with("-03"));
}

#[test]
fn a_trace_that_came_without_the_random_flag_stays_without_it_below_unsampled_spans() {
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOff)
        .build();
    let tracer = provider.tracer("test");
    for (received, sent) in [("00", "00"), ("02", "02")] {
        let parent = format!("{}{received}", &PARENT[..53]);
        let mut context = extract(&Context::new(), &headers(&[("traceparent", &parent)]));
        for _ in 0..3 {
            let mut outgoing = HeaderMap::new();
            inject(&context, &mut outgoing);
            assert_eq!(&header(&outgoing, "traceparent").unwrap()[53..], sent);
            assert_eq!(header(&outgoing, "tracestate"), None);
            context = context.with_span(tracer.start_with_context("child", &context));
        }
    }
}

#[test]
fn a_state_is_passed_on_in_order() {
    assert_eq!(tracestate_after(&["foo=1,bar=2"]).unwrap(), "foo=1,bar=2");
}

#[test]
fn several_headers_are_one_list() {
    assert_eq!(
        tracestate_after(&["foo=1,bar=2", "rojo=3", "congo=4"]).unwrap(),
        "foo=1,bar=2,rojo=3,congo=4"
    );
    assert_eq!(tracestate_after(&["", "foo=1", ""]).unwrap(), "foo=1");
}

#[test]
fn white_space_and_empty_members_are_allowed() {
    for list in ["foo=1 \t , \t bar=2", "foo=1,,bar=2,", " ,\t,foo=1,bar=2"] {
        let state = tracestate_after(&[list]).unwrap();
        let members: Vec<_> = state
            .split(',')
            .map(str::trim)
            .filter(|member| !member.is_empty())
            .collect();
        assert_eq!(members, ["foo=1", "bar=2"], "{list}");
    }
}

#[test]
fn an_empty_state_is_not_sent() {
    for list in ["", " \t", ",", " , ,"] {
        assert_eq!(tracestate_after(&[list]), None, "{list:?}");
    }
    assert_eq!(tracestate_after(&[]), None);
}

#[test]
fn there_are_at_most_32_members() {
    let list = |count: usize| {
        let members: Vec<_> = (0..count)
            .map(|number| format!("k{number}={number}"))
            .collect();
        members.join(",")
    };
    assert_eq!(tracestate_after(&[&list(32)]), Some(list(32)));
    assert_eq!(tracestate_after(&[&list(33)]), None);
    assert_eq!(tracestate_after(&[&list(32), "more=1"]), None);
    assert_eq!(
        tracestate_after(&[&format!(",,{},", list(32))])
            .unwrap()
            .matches('=')
            .count(),
        32
    );
}

#[test]
fn repeated_keys_are_inherited_as_the_test_suite_of_w3c_expects() {
    for (received, sent) in [
        (&["foo=1,foo=1"][..], "foo=1,foo=1"),
        (&["foo=1", "foo=2"], "foo=1,foo=2"),
    ] {
        assert_eq!(tracestate_after(received).as_deref(), Some(sent));
    }
}

#[test]
fn keys_that_are_valid_since_level_2_are_passed_on() {
    for key in [
        "foo@",
        "foo@@bar",
        "foo@bar@baz",
        "t@a",
        "0a",
        "a-_*/b",
        &"z".repeat(256),
    ] {
        let state = format!("{key}=1");
        assert_eq!(tracestate_after(&[&state]).as_deref(), Some(state.as_str()));
    }
}

#[test]
fn invalid_keys_drop_the_state_and_keep_the_parent() {
    for key in [
        "",
        "@foo",
        "-foo",
        "foo ",
        "Foo",
        "foo.bar",
        "foo bar",
        "f\u{f6}o",
        &"z".repeat(257),
    ] {
        let Ok(value) = HeaderValue::from_bytes(format!("good=1,{key}=1").as_bytes()) else {
            panic!("{key:?} is not a header value");
        };
        let mut incoming = headers(&[("traceparent", PARENT)]);
        incoming.insert("tracestate", value);
        let parent = extract(&Context::new(), &incoming);
        let mut outgoing = HeaderMap::new();
        inject(&parent, &mut outgoing);
        assert!(header(&outgoing, "traceparent").unwrap().contains(TRACE));
        assert_eq!(header(&outgoing, "tracestate"), None, "{key:?}");
    }
}

#[test]
fn values_of_all_printable_characters_are_passed_on() {
    let printable: String = (' '..='~').filter(|c| !",=".contains(*c)).collect();
    for value in ["1", " 1", "a b", &"z".repeat(256), &printable] {
        let state = format!("foo={value}");
        assert_eq!(tracestate_after(&[&state]).as_deref(), Some(state.as_str()));
    }
}

#[test]
fn invalid_values_drop_the_state() {
    for member in [
        "foo",
        "foo=",
        "foo= ",
        "foo=1=2",
        "foo==",
        "foo=a\tb",
        &format!("foo={}", "z".repeat(257)),
    ] {
        assert_eq!(tracestate_after(&[member, "good=1"]), None, "{member:?}");
    }
}

#[test]
fn a_state_without_a_valid_parent_is_dropped() {
    for parent in [None, Some("garbage")] {
        let mut pairs = vec![("tracestate", "foo=1")];
        pairs.extend(parent.map(|parent| ("traceparent", parent)));
        let outgoing = pass_on(&headers(&pairs), Sampler::AlwaysOn);
        assert_eq!(header(&outgoing, "tracestate"), None);
    }
}

#[test]
fn the_state_is_seen_by_samplers_and_spans_where_the_api_takes_it() {
    let parent = extract(
        &Context::new(),
        &headers(&[("traceparent", PARENT), ("tracestate", "foo=1")]),
    );
    assert_eq!(
        parent.span().span_context().trace_state().get("foo"),
        Some("1")
    );
}

#[derive(Debug, Clone)]
struct Marking;

impl ShouldSample for Marking {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let state = parent.map(|parent| parent.span().span_context().trace_state().clone());
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: state.unwrap_or_default().insert("ot", "th:8").unwrap(),
        }
    }
}

#[test]
fn a_member_that_a_sampler_adds_is_sent_in_front() {
    for (received, sent) in [
        ("foo=1,bar=2", "ot=th:8,foo=1,bar=2"),
        ("ot=old,foo=1", "ot=th:8,foo=1"),
        ("foo@@bar=1,ot=old", "ot=th:8,foo@@bar=1"),
    ] {
        let incoming = headers(&[("traceparent", PARENT), ("tracestate", received)]);
        let outgoing = pass_on(&incoming, Marking);
        assert_eq!(header(&outgoing, "tracestate").unwrap(), sent);
    }
}

#[test]
fn injection_overwrites() {
    let mut outgoing = headers(&[
        ("traceparent", "one"),
        ("traceparent", "two"),
        ("tracestate", "stale=1"),
    ]);
    let parent = extract(&Context::new(), &headers(&[("traceparent", PARENT)]));
    inject(&parent, &mut outgoing);
    assert_eq!(header(&outgoing, "traceparent").unwrap(), PARENT);
    assert_eq!(header(&outgoing, "tracestate"), None);
}

#[test]
fn nothing_is_injected_without_a_span() {
    let mut outgoing = headers(&[("traceparent", "mine")]);
    inject(&Context::new(), &mut outgoing);
    assert_eq!(outgoing, headers(&[("traceparent", "mine")]));
}

#[test]
fn a_span_of_another_propagator_keeps_its_state() {
    let span = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("foo", "1")]).unwrap(),
    );
    let mut outgoing = HeaderMap::new();
    inject(
        &Context::new().with_remote_span_context(span),
        &mut outgoing,
    );
    assert_eq!(header(&outgoing, "tracestate").unwrap(), "foo=1");
    assert!(header(&outgoing, "traceparent").unwrap().ends_with("-01"));
}

#[test]
fn baggage_goes_in_and_out() {
    let incoming = headers(&[("baggage", "user=alice")]);
    let context = extract(&Context::new(), &incoming);
    assert_eq!(context.baggage().get("user").unwrap().as_str(), "alice");
    let mut outgoing = HeaderMap::new();
    inject(&context, &mut outgoing);
    assert_eq!(outgoing, incoming);
}

#[test]
fn the_fields_are_the_two_headers() {
    let propagator = TraceContextPropagator::new();
    let fields: Vec<_> = propagator.fields().collect();
    assert_eq!(fields, ["traceparent", "tracestate"]);
}

proptest! {
    #[test]
    fn no_header_is_ever_an_error(parent in "[ -~]{0,70}", state in "[\\t -~]{0,90}") {
        let incoming = headers(&[("traceparent", parent.as_str()), ("tracestate", &state)]);
        let outgoing = pass_on(&incoming, Sampler::AlwaysOn);
        prop_assert_eq!(header(&outgoing, "traceparent").unwrap().len(), 55);
    }

    #[test]
    fn what_is_sent_is_accepted(trace in 1_u128.., span in 1_u64.., flags in 0_u8..4) {
        let parent = format!("00-{trace:032x}-{span:016x}-{flags:02x}");
        let context = extract(&Context::new(), &headers(&[("traceparent", parent.as_str())]));
        let mut outgoing = HeaderMap::new();
        inject(&context, &mut outgoing);
        prop_assert_eq!(header(&outgoing, "traceparent").unwrap(), parent);
    }
}
