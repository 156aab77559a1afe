//! Samples of items, and their quotas.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{collector, configuration, item, request, stream, take};
use crate::envelope::Envelope;
use crate::live_metrics::{Collector, Configuration, Document, Quota};

fn sample(envelope: &Envelope<'_>) -> Document {
    let types = ["Request", "Dependency", "Exception", "Trace", "Event"];
    let mut collector = collector(&json!({"DocumentStreams": types.map(|of| stream(of, of))}));
    collector.observe(envelope, 1, Duration::ZERO);
    let [sample] = take(&mut collector).documents.try_into().unwrap();
    sample
}

fn keys(sample: &Document) -> Vec<&str> {
    let pairs = sample.properties.iter();
    pairs.map(|pair| pair.key.as_str()).collect()
}

#[test]
fn a_sample_has_the_first_ten_properties_and_a_dependency_its_error_message() {
    let names = |count: usize| (0..count).rev().map(|number| format!("{number:02}"));
    let first: Vec<_> = (0..10).map(|number| format!("{number:02}")).collect();
    let mut one = request(1, true);
    let mut call = item(
        "RemoteDependencyData",
        json!({"name": "x", "duration": "00:00:01"}),
    );
    for envelope in [&mut one, &mut call] {
        let properties = envelope.data.properties_mut();
        *properties = names(12).map(|name| (name.into(), "x".into())).collect();
        properties.push("ErrorMessage", "it failed");
    }
    assert_eq!(keys(&sample(&one)), first);
    let of_call = sample(&call);
    assert_eq!(keys(&of_call)[..10], first);
    assert_eq!(keys(&of_call)[10..], ["ErrorMessage"]);
    let properties = call.data.properties_mut();
    properties.retain(|key, _| !key.starts_with('1') && key != "09");
    let of_call = sample(&call);
    assert_eq!(keys(&of_call)[..9], first[..9]);
    assert_eq!(keys(&of_call)[9..], ["ErrorMessage"], "once");
}

#[test]
fn texts_of_a_sample_are_cut_and_keys_that_are_then_the_same_count_once() {
    const MOST: usize = 32_768;
    let long = "ä".repeat(MOST);
    let mut one = item("EventData", json!({"name": format!("{long}b")}));
    for end in ["a", "b"] {
        let properties = one.data.properties_mut();
        properties.push(format!("{long}{end}"), format!("{long}{end}"));
    }
    let sample = sample(&one);
    assert_eq!(sample.name.as_ref(), Some(&long));
    assert_eq!(keys(&sample), [&long]);
    assert_eq!(sample.properties[0].value, long);
}

#[test]
fn an_exception_says_the_messages_of_its_causes_once_and_its_stack() {
    let frame =
        |level: usize| json!({"level": level, "method": "f", "fileName": "a.rs", "line": 7});
    let mut one = json!({
        "severityLevel": "Critical",
        "exceptions": [
            {"typeName": "A", "message": "outer", "parsedStack": [frame(0), frame(1)]},
            {"typeName": "B", "message": "inner"},
            {"typeName": "C", "message": "outer"},
        ],
    });
    let of_frames = sample(&item("ExceptionData", one.clone()));
    assert_eq!(of_frames.exception_type.as_deref(), Some("A"));
    let message = of_frames.exception_message.as_deref();
    assert_eq!(message, Some("outer <--- inner"));
    let stack = "at f in a.rs:line 7\nat f in a.rs:line 7";
    assert_eq!(of_frames.exception.as_deref(), Some(stack));
    assert_eq!(of_frames.severity_level.as_deref(), Some("Critical"));
    one["exceptions"][0]["stack"] = json!("as it was told");
    let of_text = sample(&item("ExceptionData", one));
    assert_eq!(of_text.exception.as_deref(), Some("as it was told"));
}

#[test]
fn a_stream_keeps_its_quota_over_a_configuration_that_sets_none() {
    let usual = json!({"DocumentStreams": [stream("a", "Request")]});
    let mut collector = collector(&usual);
    let mut second = 0;
    let mut samples = |info: &Value| {
        collector.configure(configuration(info), Duration::ZERO);
        for _ in 0..10 {
            collector.observe(&request(1, true), 1, Duration::ZERO);
        }
        second += 1;
        let collected = collector.take(Duration::from_secs(second)).unwrap();
        collected.documents.len()
    };
    assert_eq!(samples(&usual), 3);
    assert_eq!(samples(&usual), 0, "they are used up");
    let two = json!({"DocumentStreams": [stream("a", "Request"), stream("b", "Request")]});
    assert_eq!(samples(&two), 3, "another stream has its own");
    let set = json!({"DocumentStreams": [stream("a", "Request")],
        "QuotaInfo": {"InitialQuota": 2, "MaxQuota": 1, "QuotaAccrualRatePerSec": 0}});
    assert_eq!(samples(&set), 1, "at most the maximum");
}

#[test]
fn all_streams_share_a_quota_which_a_sample_for_several_of_them_costs_once() {
    let kind = |name: String| {
        let filter = json!({"FieldName": "Name", "Predicate": "Equal", "Comparand": name});
        let groups = json!([{"TelemetryType": "Event", "Filters": {"Filters": [filter]}}]);
        json!({"Id": name, "DocumentFilterGroups": groups})
    };
    let mut streams: Vec<_> = (0..20).map(|number| kind(number.to_string())).collect();
    streams.extend([stream("all", "Request"), stream("all, too", "Request")]);
    let info = json!({"DocumentStreams": streams});
    let mut collector = collector(&info);
    for _ in 0..3 {
        collector.observe(&request(1, true), 1, Duration::ZERO);
    }
    collector.observe(&request(1, true), 1, Duration::ZERO);
    let collected = take(&mut collector);
    assert_eq!(collected.documents.len(), 3);
    assert_eq!(
        collected.documents[0].document_stream_ids,
        ["all", "all, too"]
    );
    assert!(!collected.is_quota_reached, "only a stream's is");
    let observe = |collector: &mut Collector| {
        for number in 0..20 {
            let event = item("EventData", json!({"name": number.to_string()}));
            for _ in 0..3 {
                collector.observe(&event, 1, Duration::ZERO);
            }
        }
    };
    observe(&mut collector);
    let collected = collector.take(Duration::from_secs(2)).unwrap();
    assert_eq!(collected.documents.len(), 27);
    assert!(collected.is_quota_reached);
    collector.configure(configuration(&info), Duration::ZERO);
    observe(&mut collector);
    let collected = collector.take(Duration::from_secs(3)).unwrap();
    assert_eq!(collected.documents.len(), 0, "it is kept");
    assert!(collected.is_quota_reached);
    let collected = collector.take(Duration::from_secs(4)).unwrap();
    assert!(!collected.is_quota_reached, "it is said once");
}

#[test]
fn a_quota_grows_with_time_alone_and_never_beyond_a_thousand() {
    let seconds = Duration::from_secs;
    let mut quota = Quota::new(1.0, 10.0, 1.0, seconds(10));
    assert!(quota.take(seconds(10)) && !quota.take(seconds(5)));
    assert_eq!(quota.left_at(seconds(10)), 0.0, "a time before is none");
    assert_eq!(quota.left_at(seconds(30)), 10.0);
    let large = Quota::new(1e9, 1e9, f64::NAN, seconds(0));
    assert_eq!(large.left_at(seconds(0)), 1_000.0);
    // Quota that has grown stays over a change of the configuration.
    let info = json!({"DocumentStreams": [stream("a", "Request")]});
    let mut collector = collector(&info);
    for time in [0, 4] {
        collector.configure(configuration(&info), seconds(time));
        for _ in 0..10 {
            collector.observe(&request(1, true), 1, seconds(time));
        }
    }
    assert_eq!(take(&mut collector).documents.len(), 3 + 2);
}

#[test]
fn samples_are_bounded_by_the_quotas_and_it_is_said() {
    let text = r#"{"DocumentStreams":[{"Id":"s","DocumentFilterGroups":[{"TelemetryType":"Request","Filters":{"Filters":[]}}]}],
        "QuotaInfo":{"InitialQuota":1e9,"MaxQuota":1e9,"QuotaAccrualRatePerSec":1e9}}"#;
    let configuration = Configuration::read("tag", text.as_bytes());
    let mut collector = Collector::new(Arc::new(configuration), Duration::ZERO);
    let observe = |collector: &mut Collector| {
        for number in 0..10_000 {
            // The second half half a second later, so that quotas have grown again.
            let time = Duration::from_millis(500 + number / 5_000 * 500);
            collector.observe(&request(1, true), 1, time);
        }
    };
    observe(&mut collector);
    let collected = collector.take(Duration::from_secs(2)).unwrap();
    assert_eq!(collected.documents.len(), 1_000);
    let usual = Configuration::read("tag", text.replace("QuotaInfo", "Other").as_bytes());
    let mut collector = Collector::new(Arc::new(usual), Duration::ZERO);
    observe(&mut collector);
    let collected = collector.take(Duration::from_secs(2)).unwrap();
    assert_eq!(
        collected.documents.len(),
        3,
        "three, and half of one a second"
    );
    assert_eq!(collected.metrics[0].value, 5_000.0, "all were counted");
}
