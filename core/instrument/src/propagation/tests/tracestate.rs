//! The rules of `tracestate`, section 3.3.

use super::*;

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
