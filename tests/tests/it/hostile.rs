//! Spans with any content: no panic, valid JSON, all limits kept, and all rules followed.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use azmon::envelope::{limits, tags};
use azmon::mapping::{Arena, Mapper, MappingOptions};
use azmon_tests::replay::input::Input;
use azmon_tests::replay::span::{resource, span as recorded_span};
use azmon_tests::replay::{compare, expected, item};
use azmon_tests::spans::{mapped, mapped_for, span};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, SpanKind};
use opentelemetry_sdk::Resource;
use proptest::prelude::*;
use serde_json::Value;

use crate::strategies::{hostile_span, json_input};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_field_follows_from_the_input_by_the_rules(input in json_input()) {
        let ours = mapped_for(&recorded_span(&input), &resource(&input));
        let expected = expected::items(&Input::of(&input));
        prop_assert_eq!(ours.len(), expected.len());
        for (ours, expected) in ours.iter().map(item::of).zip(&expected) {
            let fields: BTreeSet<_> = ours.keys().chain(expected.keys()).collect();
            for field in fields {
                let (ours, expected) = (&ours.get(field), &expected.get(field));
                let is_same = match (ours, expected) {
                    (Some(ours), Some(expected)) => compare::agree(field, ours, expected),
                    _ => ours == expected,
                };
                prop_assert!(is_same, "{}: ours {:?}, by the rules {:?}", field, ours, expected);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_span_becomes_valid_json_within_the_limits(span in hostile_span()) {
        let envelopes = mapped(&span);
        prop_assert_eq!(envelopes.len(), 1 + span.events.events.len());
        for envelope in &envelopes {
            assert_within_limits(envelope);
        }
    }

    #[test]
    fn no_key_is_written_twice(span in hostile_span()) {
        let arena = Arena::new();
        let mapper = Mapper::new("key", &Resource::builder().build(), MappingOptions::default());
        mapper.map_span(&span, None, &arena, |envelope| {
            let properties = envelope.data.properties();
            let keys: BTreeSet<_> = properties.iter().map(|(key, _)| key).collect();
            assert_eq!(keys.len(), properties.len());
            let tags: BTreeSet<_> = envelope.tags.iter().map(|(key, _)| key).collect();
            assert_eq!(tags.len(), envelope.tags.len());
        });
    }
}

#[test]
fn ten_thousand_attributes_are_mapped_each_key_once_with_its_last_value() {
    let attribute =
        |number: usize| KeyValue::new(format!("key-{}", number % 6_000), number.to_string());
    let attributes = (0..10_000).map(attribute).collect();
    let envelopes = mapped(&span(SpanKind::Internal, "w", attributes));
    let properties = envelopes[0]["data"]["baseData"]["properties"]
        .as_object()
        .unwrap();
    assert_eq!(properties.len(), 6_000);
    assert_eq!(properties["key-0"], "6000");
    assert_eq!(properties["key-3999"], "9999");
    assert_eq!(properties["key-5999"], "5999");
}

#[test]
fn a_repeated_key_is_written_once_with_its_last_value() {
    let keys = ["k", "db.system", "k", "db.system", "k"];
    let pairs = keys.iter().enumerate();
    let attributes = pairs.map(|(number, key)| KeyValue::new(*key, number.to_string()));
    let span = span(SpanKind::Client, "w", attributes.collect());
    let arena = Arena::new();
    let mapper = Mapper::new(
        "key",
        &Resource::builder().build(),
        MappingOptions::default(),
    );
    mapper.map_span(&span, None, &arena, |envelope| {
        let json = serde_json::to_string(&envelope).unwrap();
        assert_eq!(json.matches(r#""k":"#).count(), 1, "{json}");
        assert!(json.contains(r#""properties":{"k":"4"}"#), "{json}");
        assert!(json.contains(r#""type":"3""#), "{json}");
    });
}

#[test]
fn names_and_values_of_100_000_characters_are_cut() {
    let long = "🦀".repeat(100_000);
    let mut span = span(
        SpanKind::Server,
        &long,
        vec![
            KeyValue::new(long.clone(), "v"),
            KeyValue::new("k", long.clone()),
            KeyValue::new("enduser.id", long.clone()),
        ],
    );
    span.events.events = vec![Event::new(long, SystemTime::UNIX_EPOCH, Vec::new(), 0)];
    mapped(&span).iter().for_each(assert_within_limits);
}

#[test]
fn an_end_before_the_start_and_times_before_1970_are_written() {
    let mut span = span(SpanKind::Server, "h", Vec::new());
    span.start_time = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    span.end_time = SystemTime::UNIX_EPOCH - Duration::from_secs(2);
    let envelope = &mapped(&span)[0];
    assert_eq!(envelope["time"], "1969-12-31T23:59:59.000000Z");
    assert_eq!(envelope["data"]["baseData"]["duration"], "00:00:00.0000000");
}

fn assert_within_limits(envelope: &Value) {
    let length = |value: &Value| value.as_str().unwrap_or_default().chars().count();
    assert!(envelope.is_object(), "{envelope}");
    let data = &envelope["data"]["baseData"];
    for (tag, value) in envelope["tags"].as_object().unwrap() {
        assert!(length(value) <= tags::limit(tag), "{tag}");
    }
    for (key, value) in data["properties"].as_object().into_iter().flatten() {
        assert!(key.chars().count() <= limits::KEY, "{key}");
        assert!(length(value) <= limits::property_value(key), "{key}");
    }
    for (key, value) in data["measurements"].as_object().into_iter().flatten() {
        assert!(
            key.chars().count() <= limits::KEY && value.is_number(),
            "{key}"
        );
    }
    for (field, limit) in [
        ("id", limits::ID),
        ("name", limits::NAME),
        ("url", limits::URL),
        ("source", limits::SHORT_TEXT),
        ("responseCode", limits::SHORT_TEXT),
        ("resultCode", limits::SHORT_TEXT),
        ("type", limits::SHORT_TEXT),
        ("target", limits::SHORT_TEXT),
        ("data", limits::DEPENDENCY_DATA),
        ("message", limits::MESSAGE),
    ] {
        assert!(length(&data[field]) <= limit, "{field}");
    }
    let exception = &data["exceptions"][0];
    assert!(length(&exception["typeName"]) <= limits::SHORT_TEXT);
    assert!(length(&exception["message"]) <= limits::MESSAGE);
    assert!(length(&exception["stack"]) <= limits::MESSAGE);
}
