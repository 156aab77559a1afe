//! The rules of `traceparent`, section 3.2.

use super::*;

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
