//! Tags and events.

use super::*;

#[test]
fn user_session_and_place_are_tags() {
    let attributes = texts([
        ("enduser.id", "user"),
        ("enduser.pseudo.id", "anonymous"),
        ("microsoft.user.account_id", "account"),
        ("session.id", "session"),
        ("client.address", "203.0.113.7"),
        ("user_agent.original", "curl AlwaysOn"),
        ("ai.device.id", "of the span"),
        ("microsoft.operation_name", "operation"),
    ]);
    let envelope = &envelopes(&span(SpanKind::Server, "span", &attributes))[0];
    for (tag, expected) in [
        ("ai.user.authUserId", "user"),
        ("ai.user.id", "anonymous"),
        ("ai.user.accountId", "account"),
        ("ai.session.id", "session"),
        ("ai.location.ip", "203.0.113.7"),
        ("ai.user.userAgent", "curl AlwaysOn"),
        ("ai.device.id", "of the span"),
        ("ai.operation.name", "operation"),
        ("ai.operation.syntheticSource", "True"),
    ] {
        assert_eq!(envelope["tags"][tag], expected, "{tag}");
    }
    assert_eq!(envelope["data"]["baseData"]["properties"], Value::Null);
}

#[test]
fn a_dependency_carries_the_name_of_the_callers_operation_unless_it_says_another() {
    let silent = span(SpanKind::Client, "call", &[]);
    let said = span(
        SpanKind::Client,
        "call",
        &texts([("microsoft.operation_name", "GET /b")]),
    );
    for (span, known, expected) in [
        (&silent, Some("GET /a"), json!("GET /a")),
        (&silent, None, Value::Null),
        (&said, Some("GET /a"), json!("GET /b")),
    ] {
        let envelope = &envelopes_in(span, known, MappingOptions::default())[0];
        assert_eq!(envelope["tags"]["ai.operation.name"], expected);
    }
}

#[test]
fn events_carry_their_spans_context_and_have_it_as_parent() {
    let mut span = span(
        SpanKind::Server,
        "span",
        &[
            ("_MS.sampleRate", 25.0.into()),
            ("enduser.id", "user".into()),
        ],
    );
    let attributes = vec![
        KeyValue::new("exception.type", "io::Error"),
        KeyValue::new("exception.message", "file missing"),
        KeyValue::new("exception.stacktrace", "0: main"),
        KeyValue::new("exception.escaped", false),
        KeyValue::new("microsoft.custom_measurements", r#"{"size":1}"#),
    ];
    let time = span.start_time + Duration::from_millis(5);
    span.events.events = vec![
        Event::new("exception", time, attributes, 0),
        Event::new("cache miss", time, vec![KeyValue::new("key", "k")], 0),
    ];
    let [_, exception, message] = &envelopes(&span)[..] else {
        panic!("three items")
    };
    for item in [exception, message] {
        assert_eq!(item["sampleRate"], 25.0);
        assert_eq!(item["time"], "2023-11-14T22:13:20.005000Z");
        assert_eq!(
            item["tags"]["ai.operation.id"],
            "00000000000000000000000000000abc"
        );
        assert_eq!(item["tags"]["ai.operation.parentId"], "0000000000000051");
        assert_eq!(item["tags"]["ai.operation.name"], "span");
        assert_eq!(item["tags"]["ai.user.authUserId"], "user");
    }
    let data = &exception["data"]["baseData"];
    assert_eq!(
        data["exceptions"],
        json!([{"typeName": "io::Error", "message": "file missing", "hasFullStack": true, "stack": "0: main"}])
    );
    assert_eq!(data["properties"], json!({"exception.escaped": "false"}));
    assert_eq!(data["measurements"], json!({"size": 1.0}));
    assert_eq!(message["data"]["baseData"]["message"], "cache miss");
    assert_eq!(
        message["data"]["baseData"]["properties"],
        json!({"key": "k"})
    );
}

#[test]
fn the_key_is_not_shown() {
    let mapper = Mapper::new(
        "the-key",
        &Resource::builder_empty().build(),
        MappingOptions::default(),
    );
    assert!(!format!("{mapper:?}").contains("the-key"));
}
