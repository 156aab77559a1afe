//! Injected headers, baggage, and received headers with arbitrary content.

use super::*;

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
