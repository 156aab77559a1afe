//! Mistakes that at least one official exporter makes, and that azmon must not make.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use azmon::envelope::{
    Data, Envelope, EventData, MetricData, MetricPoint, Properties, SCHEMA_VERSION,
};
use azmon_tests::spans::{context, mapped, span};
use opentelemetry::trace::{Event, Link, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value as Attribute};
use serde_json::{Value, json};

fn data(kind: SpanKind, name: &str, attributes: &[(&'static str, Attribute)]) -> Value {
    let attributes = attributes
        .iter()
        .map(|(key, value)| KeyValue::new(*key, value.clone()));
    let envelopes = mapped(&span(kind, name, attributes.collect()));
    envelopes[0]["data"]["baseData"].clone()
}

#[test]
fn a_target_without_a_port_does_not_say_none() {
    let attributes = [
        ("http.request.method", "GET".into()),
        ("url.full", "https://svc.example.com/".into()),
        ("server.address", "svc.example.com".into()),
    ];
    assert_eq!(
        data(SpanKind::Client, "GET", &attributes)["target"],
        "svc.example.com"
    );
}

#[test]
fn a_500_with_an_unset_status_is_a_failure() {
    let attributes = [
        ("http.request.method", "GET".into()),
        ("http.response.status_code", 500.into()),
    ];
    assert_eq!(data(SpanKind::Server, "GET", &attributes)["success"], false);
    assert_eq!(data(SpanKind::Client, "GET", &attributes)["success"], false);
}

#[test]
fn a_grpc_call_has_the_type_of_its_system_not_the_attributes_name() {
    for key in ["rpc.system", "rpc.system.name"] {
        assert_eq!(
            data(SpanKind::Client, "pkg.Svc/Do", &[(key, "grpc".into())])["type"],
            "GRPC"
        );
    }
}

#[test]
fn an_exception_event_without_stack_type_or_message_is_an_exception() {
    let mut span = span(SpanKind::Server, "h", Vec::new());
    span.events.events = vec![Event::new("exception", span.start_time, Vec::new(), 0)];
    let envelopes = mapped(&span);
    assert_eq!(
        envelopes[1]["name"],
        "Microsoft.ApplicationInsights.Exception"
    );
    let exception = &envelopes[1]["data"]["baseData"]["exceptions"][0];
    assert_eq!(
        exception,
        &json!({"typeName": "Exception", "message": "Exception", "hasFullStack": false})
    );
}

#[test]
fn a_consumers_request_has_a_name() {
    let envelopes = mapped(&span(SpanKind::Consumer, "process orders", Vec::new()));
    assert_eq!(envelopes[0]["data"]["baseData"]["name"], "process orders");
    assert_eq!(envelopes[0]["tags"]["ai.operation.name"], "process orders");
}

#[test]
fn many_links_are_whole_json_within_the_limit() {
    let mut span = span(SpanKind::Consumer, "batch", Vec::new());
    span.links.links = (1..=500)
        .map(|number| Link::with_context(context(number, u64::try_from(number).unwrap())))
        .collect();
    let envelopes = mapped(&span);
    let links = envelopes[0]["data"]["baseData"]["properties"]["_MS.links"]
        .as_str()
        .unwrap();
    assert!(links.len() <= 8_192);
    let links: Vec<Value> = serde_json::from_str(links).unwrap();
    assert_eq!(links.len(), 100);
    assert_eq!(
        links[99],
        json!({"operation_Id": "00000000000000000000000000000064", "id": "0000000000000064"})
    );
}

#[test]
fn a_duration_of_1000_days_is_clamped_to_the_limit_of_the_service() {
    let mut span = span(SpanKind::Internal, "w", Vec::new());
    span.end_time = span.start_time + Duration::from_secs(1_000 * 86_400);
    let duration = &mapped(&span)[0]["data"]["baseData"]["duration"];
    assert_eq!(duration, "999.23:59:59.9999999");
}

#[test]
fn an_events_name_is_cut_to_512_characters() {
    let mut envelope = Envelope::new(
        SystemTime::UNIX_EPOCH,
        Data::Event(EventData {
            ver: SCHEMA_VERSION,
            name: Cow::Owned("é".repeat(600)),
            properties: Properties::new(),
            measurements: azmon::envelope::Measurements::new(),
        }),
    );
    envelope.apply_limits();
    let json = serde_json::to_value(&envelope).unwrap();
    assert_eq!(json["data"]["baseData"]["name"], "é".repeat(512));
}

#[test]
fn a_port_that_the_scheme_does_not_imply_is_kept() {
    let call = |scheme: &'static str, port: i64| {
        let attributes = [
            ("http.request.method", "GET".into()),
            ("url.scheme", scheme.into()),
            ("url.path", "/p".into()),
            ("server.address", "h".into()),
            ("server.port", port.into()),
        ];
        let data = data(SpanKind::Client, "GET", &attributes);
        (data["target"].clone(), data["data"].clone())
    };
    for (scheme, port, target, url) in [
        ("https", 8443, "h:8443", "https://h:8443/p"),
        ("https", 80, "h:80", "https://h:80/p"),
        ("http", 443, "h:443", "http://h:443/p"),
        ("https", 443, "h", "https://h/p"),
        ("http", 80, "h", "http://h/p"),
    ] {
        assert_eq!(
            call(scheme, port),
            (json!(target), json!(url)),
            "{scheme} {port}"
        );
    }
}

#[test]
fn a_url_has_one_question_mark() {
    for (path, query, expected) in [
        ("/p", "a=1", "https://h/p?a=1"),
        ("/p", "?a=1", "https://h/p?a=1"),
        ("/p?a=1", "a=1", "https://h/p?a=1"),
        ("/p?a=1", "", "https://h/p?a=1"),
        ("/p?", "a=1", "https://h/p?a=1"),
        ("/p", "", "https://h/p"),
    ] {
        let attributes = [
            ("http.request.method", "GET".into()),
            ("url.scheme", "https".into()),
            ("server.address", "h".into()),
            ("url.path", path.into()),
            ("url.query", query.into()),
        ];
        assert_eq!(
            data(SpanKind::Server, "GET", &attributes)["url"],
            expected,
            "{path} {query}"
        );
    }
}

#[test]
fn ids_of_zeros_are_left_out() {
    let mut span = span(SpanKind::Server, "h", Vec::new());
    span.span_context = context(0, 0);
    span.parent_span_id = opentelemetry::trace::SpanId::INVALID;
    span.events.events = vec![Event::with_name("e")];
    for envelope in mapped(&span) {
        assert_eq!(envelope["tags"]["ai.operation.id"], Value::Null);
        assert_eq!(envelope["tags"]["ai.operation.parentId"], Value::Null);
    }
}

#[test]
fn a_key_over_150_characters_is_dropped_and_one_of_150_is_kept() {
    let keys = ["é".repeat(150), "é".repeat(151)];
    let attributes = keys.iter().map(|key| KeyValue::new(key.clone(), "v"));
    let envelopes = mapped(&span(SpanKind::Internal, "w", attributes.collect()));
    let properties = &envelopes[0]["data"]["baseData"]["properties"];
    assert_eq!(properties, &json!({keys[0].as_str(): "v"}));
}

#[test]
fn long_texts_are_cut_between_characters() {
    let text = "世🦀é".repeat(4_000);
    let mut span = span(
        SpanKind::Client,
        &text,
        vec![
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.query.text", text.clone()),
            KeyValue::new("k", text.clone()),
        ],
    );
    span.status = Status::error(text.clone());
    let data = &mapped(&span)[0]["data"]["baseData"];
    // The service counts UTF-16 code units.
    let cut = |units: usize| {
        let mut left = units;
        let fits = |character: &char| {
            let rest = left.checked_sub(character.len_utf16());
            left = rest.unwrap_or(0);
            rest.is_some()
        };
        Value::from(text.chars().take_while(fits).collect::<String>())
    };
    assert_eq!(data["name"], cut(1_024));
    assert_eq!(data["data"], cut(8_192));
    assert_eq!(data["properties"]["k"], cut(8_192));
    assert_eq!(data["properties"]["otel.status_description"], cut(8_192));
}

#[test]
fn whole_numbers_keep_all_their_digits() {
    let big = 9_007_199_254_740_993_i64;
    let attributes = [
        ("one", big.into()),
        ("many", Attribute::Array(Array::I64(vec![big, i64::MIN]))),
    ];
    let properties = &data(SpanKind::Internal, "w", &attributes)["properties"];
    assert_eq!(properties["one"], "9007199254740993");
    assert_eq!(
        properties["many"],
        "[9007199254740993,-9223372036854775808]"
    );
}

#[test]
fn numbers_that_are_not_finite_never_reach_the_wire() {
    let attributes = [
        ("nan", f64::NAN.into()),
        ("_MS.sampleRate", f64::NAN.into()),
        (
            "microsoft.custom_measurements",
            r#"{"huge": 1e999, "one": 1}"#.into(),
        ),
    ];
    let data = data(SpanKind::Internal, "w", &attributes);
    assert_eq!(data["properties"]["nan"], "NaN");
    assert_eq!(data["measurements"]["huge"], Value::Null);

    let point = |value| MetricPoint {
        namespace: None,
        name: Cow::Borrowed("m"),
        kind: None,
        value,
        count: None,
        min: Some(f64::NEG_INFINITY),
        max: Some(2.0),
        std_dev: None,
    };
    let mut envelope = Envelope::new(
        SystemTime::UNIX_EPOCH,
        Data::Metric(MetricData {
            ver: SCHEMA_VERSION,
            metrics: vec![point(f64::NAN), point(1.0)],
            properties: Properties::new(),
        }),
    );
    envelope.apply_limits();
    let json = serde_json::to_value(&envelope).unwrap();
    assert_eq!(
        json["data"]["baseData"]["metrics"],
        json!([{"name": "m", "value": 1.0, "max": 2.0}])
    );
}
