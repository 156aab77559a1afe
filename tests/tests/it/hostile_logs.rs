//! Unusual log records follow the rules.

use azmon_tests::logs::mapped_for;
use azmon_tests::replay::case::Case;
use azmon_tests::replay::judge::judge;
use azmon_tests::replay::log::log;
use azmon_tests::replay::span::resource;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const KEYS: [&str; 27] = [
    "",
    "k",
    "message",
    "target",
    "logger_name",
    "event_name",
    "severity_text",
    "exception.type",
    "exception.message",
    "exception.stacktrace",
    "exception.cause.message",
    "code.file.path",
    "code.line.number",
    "microsoft.custom_event.name",
    "microsoft.custom_measurements",
    "microsoft.availability.id",
    "microsoft.availability.name",
    "microsoft.availability.duration",
    "microsoft.availability.success",
    "microsoft.availability.runLocation",
    "microsoft.availability.message",
    "microsoft.availability.testTimestamp",
    "microsoft.operation_name",
    "microsoft.sample_rate",
    "enduser.id",
    "session.id",
    "client.address",
];

fn value() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        " ",
        "text",
        "世界",
        "00:00:01.500",
        "true",
        "0",
        "{\"a\":1.5}",
        "25",
    ];
    let times = ["2024-02-03T04:05:06Z", "2024-02-30T04:05:06Z"];
    prop_oneof![
        select(texts.to_vec()).prop_map(Value::from),
        select(times.to_vec()).prop_map(Value::from),
        (1_usize..40_000).prop_map(|length| Value::from("é".repeat(length))),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!([1, 2])),
        Just(json!(["a", "b"])),
    ]
}

/// All attributes of an availability result, or none.
fn availability() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let all = [
        ("microsoft.availability.id", json!("run")),
        ("microsoft.availability.name", json!("home")),
        ("microsoft.availability.duration", json!("00:00:00.2500000")),
        ("microsoft.availability.success", json!(true)),
    ];
    prop_oneof![Just(Vec::new()), Just(all.to_vec())]
}

fn body() -> impl Strategy<Value = Value> {
    let data = json!({"b": {"c": [1, "x", true]}, "a": 1});
    prop_oneof![Just(Value::Null), Just(data), value()]
}

fn input() -> impl Strategy<Value = Value> {
    let attributes = proptest::collection::vec((select(KEYS.to_vec()), value()), 0..8);
    let names = select(vec!["", "order.placed", "INFO", "debug"]);
    (
        body(),
        attributes,
        availability(),
        0_u64..=24,
        names.clone(),
        names,
        any::<bool>(),
    )
        .prop_map(
            |(body, attributes, availability, severity, event, text, has_scope)| {
                let pairs = availability.into_iter().chain(attributes);
                let attributes: Map<_, _> =
                    pairs.map(|(key, value)| (key.to_owned(), value)).collect();
                json!({
                    "body": body,
                    "severity_number": Some(severity).filter(|severity| *severity > 0),
                    "severity_text": text,
                    "event_name": event,
                    "attributes": attributes,
                    "trace_id": "0af7651916cd43dd8448eb211c8000d1",
                    "span_id": "b7ad6b71692000d1",
                    "scope": if has_scope { "my.logger" } else { "" },
                    "timestamp_ns": null,
                    "observed_ns": 1_700_000_000_001_000_000_i64,
                    "resource": {"service.name": "shop", "service.instance.id": "1"},
                })
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_field_follows_from_the_input_by_the_rules(input in input()) {
        let ours = mapped_for(&log(&input), &resource(&input));
        let nobody = Case { name: String::new(), input, python: Vec::new(), node: Vec::new() };
        let verdict = judge(&nobody, &[ours]);
        prop_assert!(verdict.failures.is_empty(), "{:#?}", verdict.failures);
    }
}
