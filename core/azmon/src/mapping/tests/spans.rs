//! Rules that hold for spans of every kind.

use super::*;

#[test]
fn servers_and_consumers_make_requests_and_the_others_dependencies() {
    for (kind, expected) in [
        (SpanKind::Server, "RequestData"),
        (SpanKind::Consumer, "RequestData"),
        (SpanKind::Client, "RemoteDependencyData"),
        (SpanKind::Producer, "RemoteDependencyData"),
        (SpanKind::Internal, "RemoteDependencyData"),
    ] {
        let envelope = &envelopes(&span(kind, "span", &[]))[0];
        assert_eq!(envelope["data"]["baseType"], expected);
        assert_eq!(envelope["data"]["baseData"]["id"], "0000000000000051");
        assert_eq!(
            envelope["tags"]["ai.operation.id"],
            "00000000000000000000000000000abc"
        );
        assert_eq!(
            envelope["tags"]["ai.operation.parentId"],
            "0000000000000050"
        );
    }
}

#[test]
fn success_follows_the_status_then_the_http_code() {
    for kind in [SpanKind::Server, SpanKind::Client] {
        for (status, code, strict, lenient) in [
            (Status::Unset, 399, true, true),
            (Status::Unset, 404, false, true),
            (Status::Unset, 500, false, false),
            (Status::Ok, 404, true, true),
            (Status::error("x"), 200, false, false),
        ] {
            let mut span = span(
                kind.clone(),
                "span",
                &[("http.response.status_code", code.into())],
            );
            span.status = status;
            for (failures, expected) in [(true, strict), (false, lenient)] {
                let options = MappingOptions::default().client_errors_are_failures(failures);
                let envelope = &envelopes_in(&span, None, options)[0];
                assert_eq!(
                    envelope["data"]["baseData"]["success"], expected,
                    "{span:?}"
                );
            }
        }
    }
    assert_eq!(data(SpanKind::Server, &[])["success"], true);
}

#[test]
fn overrides_beat_every_rule_and_keep_the_replaced_values_as_properties() {
    let attributes = texts([
        ("db.system.name", "redis"),
        ("microsoft.dependency.data", "D"),
        ("microsoft.dependency.name", "N"),
        ("microsoft.dependency.resultCode", "RC"),
        ("microsoft.dependency.target", "T"),
        ("microsoft.dependency.type", "TY"),
    ]);
    let dependency = data(SpanKind::Client, &attributes);
    assert_eq!(call(SpanKind::Client, &attributes), ["TY", "T", "D", "RC"]);
    assert_eq!(dependency["name"], "N");
    assert_eq!(dependency["properties"], json!({"db.system.name": "redis"}));

    let attributes = texts([
        ("microsoft.request.name", "N"),
        ("microsoft.request.resultCode", "RC"),
        ("microsoft.request.source", "S"),
        ("microsoft.request.url", "U"),
    ]);
    let request = data(SpanKind::Server, &attributes);
    for (field, expected) in [
        ("name", "N"),
        ("responseCode", "RC"),
        ("source", "S"),
        ("url", "U"),
    ] {
        assert_eq!(request[field], expected);
    }
    assert_eq!(request["properties"], Value::Null);
}

#[test]
fn the_time_in_the_queue_is_the_mean_over_the_links_that_know_it() {
    let link = |attributes: Vec<KeyValue>| Link::new(context(1), attributes, 0);
    let waited = |milliseconds: i64| {
        link(vec![KeyValue::new(
            "enqueuedTime",
            1_700_000_000_000 - milliseconds,
        )])
    };
    for (kind, links, expected) in [
        (
            SpanKind::Consumer,
            vec![waited(2_000), waited(1_000), link(Vec::new())],
            json!(1_500.0),
        ),
        (SpanKind::Consumer, vec![waited(-5_000)], json!(0.0)),
        (SpanKind::Consumer, vec![link(Vec::new())], Value::Null),
        (SpanKind::Server, vec![waited(2_000)], Value::Null),
    ] {
        let mut span = span(kind, "span", &[]);
        span.links.links = links;
        let envelope = &envelopes(&span)[0];
        assert_eq!(
            envelope["data"]["baseData"]["measurements"]["timeSinceEnqueued"],
            expected
        );
    }
}

#[test]
fn a_sample_rate_is_read_by_both_names_and_ignored_if_it_is_none() {
    for (key, rate, expected) in [
        ("_MS.sampleRate", Attribute::F64(25.0), json!(25.0)),
        ("microsoft.sample_rate", Attribute::I64(50), json!(50.0)),
        ("microsoft.sample_rate", "12.5".into(), json!(12.5)),
        ("microsoft.sample_rate", Attribute::F64(0.0), Value::Null),
        ("_MS.sampleRate", Attribute::F64(100.5), Value::Null),
        ("_MS.sampleRate", Attribute::F64(f64::NAN), Value::Null),
    ] {
        let envelope = &envelopes(&span(SpanKind::Server, "span", &[(key, rate)]))[0];
        assert_eq!(envelope["sampleRate"], expected);
        assert_eq!(
            envelope["data"]["baseData"]["properties"][key].is_null(),
            !expected.is_null()
        );
    }
}

#[test]
fn attributes_that_no_rule_uses_are_kept() {
    let mut span = span(
        SpanKind::Client,
        "span",
        &texts([
            ("db.system.name", "postgresql"),
            ("db.collection.name", "orders"),
            ("db.response.status_code", "42P01"),
            ("error.type", "42P01"),
            ("http.route", ""),
            ("app.tenant", "contoso"),
        ]),
    );
    span.status = Status::error("relation does not exist");
    let properties = envelopes(&span)[0]["data"]["baseData"]["properties"].clone();
    assert_eq!(
        properties,
        json!({
            "db.collection.name": "orders",
            "db.response.status_code": "42P01",
            "error.type": "42P01",
            "http.route": "",
            "app.tenant": "contoso",
            "otel.status_description": "relation does not exist",
        })
    );
}
