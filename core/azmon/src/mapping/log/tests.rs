use opentelemetry::logs::{AnyValue, LogRecord, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLogRecord;

use crate::envelope::{Data, Envelope, SeverityLevel, tags};
use crate::fixtures::log_record;
use crate::instrument::{Identity, OperationName, SampleRate};
use crate::item::LogData;
use crate::mapping::{Arena, Mapper, MappingOptions};

fn data(fill: impl FnOnce(&mut SdkLogRecord)) -> LogData {
    let scope = InstrumentationScope::builder("scope").build();
    LogData::new(&log_record(fill), &scope)
}

/// The mapped record, owned.
fn mapped_with(log: &LogData, options: MappingOptions) -> Envelope<'static> {
    let mapper = Mapper::new("key", &Resource::builder_empty().build(), options);
    let arena = Arena::new();
    let envelope = mapper.map_log(log, Some("known name"), Some(25.0), &arena);
    serde_json::from_slice(&serde_json::to_vec(&envelope).unwrap()).unwrap()
}

fn mapped(fill: impl FnOnce(&mut SdkLogRecord)) -> Envelope<'static> {
    mapped_with(&data(fill), MappingOptions::default())
}

fn property<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    envelope.data.properties().get(key).map(|value| &**value)
}

fn tag<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    envelope.tags.get(key).map(|value| &**value)
}

fn message(envelope: &Envelope<'_>) -> String {
    match &envelope.data {
        Data::Message(data) => data.message.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bodies_of_every_kind_are_texts() {
    let fields = [(opentelemetry::Key::new("a"), AnyValue::from(1))];
    for (body, text) in [
        (AnyValue::from("hello"), "hello"),
        (AnyValue::from(42), "42"),
        (AnyValue::from(2.5), "2.5"),
        (AnyValue::from(true), "true"),
        ([1, 2].into_iter().collect(), "[1,2]"),
        (AnyValue::Bytes(Box::new(vec![1, 2, 3])), "AQID"),
        (
            AnyValue::Map(Box::new(fields.into_iter().collect())),
            r#"{"a":1}"#,
        ),
        (AnyValue::from(" \n"), "n/a"),
    ] {
        assert_eq!(message(&mapped(|record| record.set_body(body))), text);
    }
    assert_eq!(message(&mapped(|_| ())), "n/a");
}

#[test]
fn an_event_name_stands_for_a_missing_body_and_is_kept_beside_one() {
    let envelope = mapped(|record| record.set_event_name("order.placed"));
    assert_eq!(message(&envelope), "order.placed");
    assert_eq!(property(&envelope, "event_name"), None);
    let envelope = mapped(|record| {
        record.set_event_name("order.placed");
        record.set_body("text".into());
    });
    assert_eq!(message(&envelope), "text");
    assert_eq!(property(&envelope, "event_name"), Some("order.placed"));
}

#[test]
fn an_event_name_makes_a_custom_event_if_asked_for() {
    let options = || MappingOptions::default().event_names_are_custom_events(true);
    for (name, is_event) in [
        ("order.placed", true),
        ("event src/main.rs:12", false),
        ("log event", false),
        ("", false),
    ] {
        let log = data(|record| record.set_event_name(name));
        let envelope = mapped_with(&log, options());
        assert_eq!(matches!(envelope.data, Data::Event(_)), is_event, "{name}");
        assert_eq!(property(&envelope, "event_name"), None);
    }
}

#[test]
fn scope_and_target_are_the_loggers_name() {
    let with_target = |target: &'static str, scope: &'static str| {
        let record = log_record(|record| record.set_target(target));
        let scope = InstrumentationScope::builder(scope).build();
        mapped_with(&LogData::new(&record, &scope), MappingOptions::default())
    };
    for (scope, target, name, other) in [
        ("", "shop::orders", Some("shop::orders"), None),
        ("shop", "", Some("shop"), None),
        ("shop", "shop", Some("shop"), None),
        ("shop", "shop::orders", Some("shop"), Some("shop::orders")),
        ("", "", None, None),
    ] {
        let envelope = with_target(target, scope);
        assert_eq!(property(&envelope, "logger_name"), name);
        assert_eq!(property(&envelope, "target"), other);
    }
}

#[test]
fn an_attribute_overrides_the_field_of_the_record_with_the_same_name() {
    let envelope = mapped(|record| record.add_attribute("logger_name", "mine"));
    assert_eq!(property(&envelope, "logger_name"), Some("mine"));
    assert_eq!(envelope.data.properties().len(), 1);
}

#[test]
fn severities_are_levels_and_a_text_is_kept_where_it_says_more() {
    for (severity, text, level, kept) in [
        (
            Severity::Trace,
            "TRACE",
            SeverityLevel::Verbose,
            Some("TRACE"),
        ),
        (
            Severity::Debug4,
            "DEBUG",
            SeverityLevel::Verbose,
            Some("DEBUG"),
        ),
        (Severity::Info, "INFO", SeverityLevel::Information, None),
        (
            Severity::Info4,
            "NOTICE",
            SeverityLevel::Information,
            Some("NOTICE"),
        ),
        (Severity::Warn, "warn", SeverityLevel::Warning, None),
        (Severity::Error4, "ERROR4", SeverityLevel::Error, None),
        (Severity::Fatal, "", SeverityLevel::Critical, None),
    ] {
        let envelope = mapped(|record| {
            record.set_severity_number(severity);
            record.set_severity_text(text);
        });
        let Data::Message(data) = &envelope.data else {
            panic!("{envelope:?}")
        };
        assert_eq!(data.severity_level, Some(level), "{text}");
        assert_eq!(property(&envelope, "severity_text"), kept);
    }
}

#[test]
fn an_exception_has_the_errors_message_and_keeps_the_records() {
    let envelope = mapped(|record| {
        record.set_body("the order is lost".into());
        record.set_severity_number(Severity::Fatal);
        record.add_attribute("exception.type", "E");
        record.add_attribute("exception.message", "no");
        record.add_attribute("code.file.path", "src/a.rs");
        record.add_attribute("code.line.number", 7);
    });
    let Data::Exception(data) = &envelope.data else {
        panic!("{envelope:?}")
    };
    assert_eq!(data.exceptions[0].message, "no");
    assert_eq!(data.exceptions[0].type_name.as_deref(), Some("E"));
    assert_eq!(data.exceptions[0].has_full_stack, Some(false));
    assert_eq!(data.severity_level, Some(SeverityLevel::Critical));
    assert_eq!(data.problem_id.as_deref(), Some("E at src/a.rs:7"));
    assert_eq!(property(&envelope, "message"), Some("the order is lost"));
    assert_eq!(property(&envelope, "code.file.path"), Some("src/a.rs"));
}

#[test]
fn the_records_text_is_the_message_of_an_exception_without_one() {
    let envelope = mapped(|record| {
        record.set_body("it broke".into());
        record.add_attribute("exception.type", "E");
    });
    let Data::Exception(data) = &envelope.data else {
        panic!("{envelope:?}")
    };
    assert_eq!(data.exceptions[0].message, "it broke");
    assert_eq!(property(&envelope, "message"), None);
    assert_eq!(data.problem_id, None);
}

#[test]
fn an_availability_result_needs_all_of_its_parts() {
    let parts = [
        ("microsoft.availability.id", "run"),
        ("microsoft.availability.name", "home"),
        ("microsoft.availability.duration", "00:00:01.5"),
        ("microsoft.availability.success", "True"),
    ];
    let fill = |parts: &[(&'static str, &'static str)]| {
        let parts = parts.to_vec();
        mapped(|record| record.add_attributes(parts))
    };
    let Data::Availability(data) = fill(&parts).data else {
        panic!("no availability result")
    };
    assert!(data.success);
    assert_eq!(data.duration.0.as_millis(), 1_500);
    for missing in 0..parts.len() {
        let mut parts = parts.to_vec();
        let (key, _) = parts.remove(missing);
        assert!(matches!(fill(&parts).data, Data::Message(_)), "{key}");
    }
    let mut unreadable = parts;
    unreadable[3].1 = "perhaps";
    let envelope = fill(&unreadable);
    assert!(matches!(envelope.data, Data::Message(_)));
    assert_eq!(envelope.data.properties().len(), 5);
}

#[test]
fn a_test_may_say_when_it_ran() {
    let envelope = mapped(|record| {
        record.add_attributes([
            ("microsoft.availability.id", "run"),
            ("microsoft.availability.name", "home"),
            ("microsoft.availability.duration", "00:00:01"),
            ("microsoft.availability.success", "false"),
            (
                "microsoft.availability.testTimestamp",
                "2024-02-03T04:05:06Z",
            ),
        ]);
    });
    let time: jiff::Timestamp = envelope.time.try_into().unwrap();
    assert_eq!(time.to_string(), "2024-02-03T04:05:06Z");
}

#[test]
fn a_record_outside_a_span_belongs_to_no_operation() {
    let envelope = mapped(|_| ());
    assert_eq!(tag(&envelope, tags::OPERATION_ID), None);
    assert_eq!(tag(&envelope, tags::OPERATION_PARENT_ID), None);
}

#[test]
fn a_record_belongs_to_its_span_and_counts_as_much_as_its_request() {
    let envelope = mapped(|record| {
        let flags = Some(TraceFlags::SAMPLED);
        record.set_trace_context(TraceId::from(10), SpanId::from(11), flags);
    });
    let id = "0000000000000000000000000000000a";
    assert_eq!(tag(&envelope, tags::OPERATION_ID), Some(id));
    assert_eq!(
        tag(&envelope, tags::OPERATION_PARENT_ID),
        Some("000000000000000b")
    );
    assert_eq!(tag(&envelope, tags::OPERATION_NAME), Some("known name"));
    assert_eq!(envelope.sample_rate, Some(25.0));
    let log = data(|_| ()).unsampled();
    let envelope = mapped_with(&log, MappingOptions::default());
    assert_eq!(envelope.sample_rate, Some(100.0));
}

#[test]
fn the_context_supplies_fields_that_the_record_lacks() {
    let identity = Identity::new().user_id("u").authenticated_user_id("a");
    let context = Context::new()
        .with_value(OperationName("GET /orders/{id}".into()))
        .with_value(SampleRate::new(10.0).unwrap())
        .with_value(identity.account_id("acc").session_id("s"));
    let log = data(|record| record.add_attribute("session.id", "own"));
    let envelope = mapped_with(&log.in_context(&context), MappingOptions::default());
    assert_eq!(envelope.sample_rate, Some(10.0));
    for (key, value) in [
        (tags::OPERATION_NAME, "GET /orders/{id}"),
        (tags::USER_ID, "u"),
        (tags::USER_AUTH_USER_ID, "a"),
        (tags::USER_ACCOUNT_ID, "acc"),
        (tags::SESSION_ID, "own"),
    ] {
        assert_eq!(tag(&envelope, key), Some(value));
    }
    assert_eq!(property(&envelope, OperationName::ATTRIBUTE), None);
    // A record that counts once does so in any context.
    let kept = data(|_| ()).unsampled().in_context(&context);
    let envelope = mapped_with(&kept, MappingOptions::default());
    assert_eq!(envelope.sample_rate, Some(100.0));
}

#[test]
fn an_identity_is_attributes_of_a_span_too() {
    let identity = Identity::new().user_id("u").session_id("s");
    let expected = [
        KeyValue::new("enduser.pseudo.id", "u"),
        KeyValue::new("session.id", "s"),
    ];
    assert!(identity.attributes().eq(expected));
}
