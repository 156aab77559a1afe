//! The collector: counts, samples and their quotas, and the limits of a configuration.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value, json};

use super::request;
use crate::envelope::{Data, Envelope, tags};
use crate::item::Item;
use crate::live_metrics::{
    Collected, Collector, Configuration, Counts, Document, Live, MetricValue, Quota,
};

/// An item as it is on the wire.
fn item(base_type: &str, base_data: Value) -> Envelope<'static> {
    let time = "2026-01-01T00:00:00Z";
    let data = json!({"baseType": base_type, "baseData": base_data});
    let line = json!({"name": "x", "time": time, "iKey": "", "data": data}).to_string();
    let envelope: Envelope<'_> = serde_json::from_str(&line).unwrap();
    envelope.into_owned()
}

/// A stream of all items of a type.
fn stream(id: &str, of: &str) -> Value {
    json!({"Id": id, "DocumentFilterGroups": [{"TelemetryType": of, "Filters": {"Filters": []}}]})
}

fn configuration(info: &Value) -> Arc<Configuration> {
    let configuration = Configuration::read("e", info.to_string().as_bytes());
    assert_eq!(configuration.errors(), []);
    Arc::new(configuration)
}

fn collector(info: &Value) -> Collector {
    Collector::new(configuration(info), Duration::ZERO)
}

/// The items of one second.
fn take(collector: &mut Collector) -> Collected {
    collector.take(Duration::from_secs(1)).unwrap()
}

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

fn metric<'a>(collected: &'a Collected, name: &str) -> &'a MetricValue {
    let name = format!(r"\ApplicationInsights\{name}");
    let mut metrics = collected.metrics.iter();
    metrics.find(|metric| metric.name == name).unwrap()
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
fn every_type_is_counted_and_what_stands_for_several_counts_so_often() {
    let metrics = ["Sum", "Avg", "Min", "Max"].map(|aggregation| {
        json!({"Id": aggregation, "TelemetryType": "Dependency", "Projection": "CustomMetrics.size",
            "Aggregation": aggregation})
    });
    let mut collector = collector(&json!({"Metrics": metrics}));
    let call = |size: f64, success: bool| {
        let data = json!({"name": "x", "duration": "00:00:00.2", "success": success, "measurements": {"size": size}});
        item("RemoteDependencyData", data)
    };
    collector.observe(&call(-2.0, false), 3, Duration::ZERO);
    collector.observe(&call(-6.0, true), 1, Duration::ZERO);
    let error = item("ExceptionData", json!({"exceptions": [{"message": "x"}]}));
    collector.observe(&error, 2, Duration::ZERO);
    let mut more = Counts {
        exceptions: 4,
        ..Counts::default()
    };
    more.requests.add(Duration::from_secs(1), false, 1);
    collector.add(&more);
    let collected = take(&mut collector);
    for (name, value, weight) in [
        ("Dependency Calls/Sec", 4.0, 1),
        ("Dependency Calls Failed/Sec", 3.0, 1),
        ("Dependency Calls Succeeded/Sec", 1.0, 1),
        ("Dependency Call Duration", 200.0, 4),
        ("Exceptions/Sec", 6.0, 1),
        ("Requests/Sec", 1.0, 1),
        ("Requests Failed/Sec", 1.0, 1),
        ("Requests Succeeded/Sec", 0.0, 1),
        ("Request Duration", 1_000.0, 1),
    ] {
        let metric = metric(&collected, name);
        assert_eq!((metric.value, metric.weight), (value, weight), "{name}");
    }
    let derived = |collected: &Collected| -> Vec<_> {
        let metrics = collected.metrics[9..].iter();
        metrics.map(|one| (one.value, one.weight)).collect()
    };
    assert_eq!(
        derived(&collected),
        [(-12.0, 4), (-3.0, 4), (-6.0, 4), (-2.0, 4)]
    );
    // Nothing is left for the second that follows, whose length alone matters.
    let next = collector.take(Duration::from_secs(3)).unwrap();
    assert_eq!(derived(&next), [(0.0, 0); 4]);
    assert_eq!(metric(&next, "Exceptions/Sec").value, 0.0);
    collector.observe(&error, 1, Duration::from_secs(3));
    let last = collector.take(Duration::from_secs(5)).unwrap();
    assert_eq!(metric(&last, "Exceptions/Sec").value, 0.5);
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
fn a_configuration_between_two_points_loses_no_counts() {
    let (live, _) = Live::new(Arc::default());
    let info = json!({"DocumentStreams": [stream("a", "Request")]});
    live.start(configuration(&info));
    live.observe(&request(1, true));
    live.configure(configuration(&info));
    live.observe(&request(1, true));
    let collected = live.take().unwrap();
    assert_eq!(metric(&collected, "Request Duration").weight, 2);
    assert_eq!(collected.documents.len(), 2);
}

#[test]
fn parts_beyond_a_limit_are_refused_one_by_one() {
    let derived = |id: String| json!({"Id": id, "TelemetryType": "Event", "Projection": "count()", "Aggregation": "Sum"});
    let long = "ä".repeat(257);
    let mut metrics: Vec<_> = (0..128).map(|number| derived(number.to_string())).collect();
    metrics.extend([derived("128".to_owned())]);
    let mut streams: Vec<_> = (0..64)
        .map(|number| json!({"Id": number.to_string()}))
        .collect();
    streams.push(json!({"Id": "64"}));
    let info = json!({"ETag": "not its name", "Metrics": metrics, "DocumentStreams": streams});
    let full = Configuration::read("tag", info.to_string().as_bytes());
    assert_eq!(full.etag(), "tag");
    let errors = |configuration: &Configuration| -> Vec<_> {
        let errors = configuration.errors().iter();
        errors
            .map(|error| (error.data[0].value.clone(), error.message.clone()))
            .collect()
    };
    let refused = |id: &str, reason: &str| (id.to_owned(), reason.to_owned());
    assert_eq!(
        errors(&full),
        [
            refused("128", "there are more than 128 metrics"),
            refused("64", "there are more than 64 streams"),
        ],
        "a metric and a stream may have the same id"
    );
    let info = json!({"Metrics": [derived(long.clone())], "DocumentStreams": [{"Id": long}]});
    let named = Configuration::read("tag", info.to_string().as_bytes());
    let shown = "ä".repeat(200);
    let reason = "the id is longer than 256 characters";
    assert_eq!(
        errors(&named),
        [refused(&shown, reason), refused(&shown, reason)]
    );
}

#[test]
fn groups_without_filters_take_room_and_the_largest_body_is_read() {
    let empty = json!({"Filters": []});
    let info = json!({"Metrics": [
        {"Id": "a", "TelemetryType": "Event", "Projection": "Count()", "Aggregation": "Sum", "FilterGroups": vec![&empty; 256]},
        {"Id": "b", "TelemetryType": "Event", "Projection": "Count()", "Aggregation": "Sum", "FilterGroups": [&empty]},
    ]});
    let mut body = info.to_string();
    body.push_str(&" ".repeat(super::MAX_CONFIGURATION - body.len()));
    let configuration = Configuration::read("tag", body.as_bytes());
    let [error] = configuration.errors() else {
        panic!("{:?}", configuration.errors())
    };
    assert_eq!(error.message, "the configuration has more than 256 filters");
    assert_eq!(error.data[0].value, "b");
}

#[test]
fn a_derived_metric_takes_its_type_alone_and_only_numbers() {
    let derived = |of: &str, projection: &str| {
        let id = format!("{of} {projection}");
        json!({"Id": id, "TelemetryType": of, "Projection": projection, "Aggregation": "Min"})
    };
    let info = json!({"Metrics": [
        derived("Request", "Count()"),
        derived("Request", "CustomMetrics.size"),
        derived("Event", "Count()"),
        derived("Request", "Duration"),
    ]});
    let mut collector = collector(&info);
    for size in [f64::NAN, 2.0, f64::INFINITY, 6.0] {
        let mut one = request(1, true);
        if let Data::Request(data) = &mut one.data {
            data.measurements.push("size", size);
        }
        collector.observe(&one, 1, Duration::ZERO);
    }
    let values = |collected: &Collected| -> Vec<_> {
        let metrics = collected.metrics[9..].iter();
        metrics.map(|one| (one.value, one.weight)).collect()
    };
    let collected = take(&mut collector);
    assert_eq!(values(&collected), [(1.0, 4), (2.0, 2), (0.0, 0), (1.0, 4)]);
    // A new configuration begins with empty counts, even if it equals the one before.
    collector.observe(&request(1, true), 1, Duration::ZERO);
    collector.configure(configuration(&info), Duration::ZERO);
    let collected = collector.take(Duration::from_secs(2)).unwrap();
    assert_eq!(values(&collected), [(0.0, 0); 4]);
    let event = json!({"Metrics": [derived("Event", "Duration")]});
    let refused = Configuration::read("e", event.to_string().as_bytes());
    assert_eq!(refused.errors().len(), 1);
}

#[test]
fn numbers_of_a_metric_are_rounded_and_finite() {
    for (value, sent) in [
        (0.000_05, 0.000_1),
        (-1.234_56, -1.234_6),
        (f64::NAN, 0.0),
        (f64::INFINITY, 0.0),
    ] {
        assert_eq!(MetricValue::new("x", value, 1).value, sent, "{value}");
    }
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
fn the_context_of_an_item_can_be_filtered() {
    let filter = |name: &str, wanted: &str| json!({"FieldName": name, "Predicate": "Equal", "Comparand": wanted});
    let filters = [
        filter("Context.Cloud.RoleName", "SHOP"),
        filter("Context.Operation.Name", "GET /"),
    ];
    let group = json!({"TelemetryType": "Request", "Filters": {"Filters": filters}});
    let info = json!({"DocumentStreams": [{"Id": "a", "DocumentFilterGroups": [group]}]});
    let mut collector = collector(&info);
    for operation in ["GET /", "GET /other"] {
        let mut one = request(1, true);
        one.tags.push(tags::CLOUD_ROLE, "shop");
        one.tags.push(tags::OPERATION_NAME, operation);
        collector.observe(&one, 1, Duration::ZERO);
    }
    let documents = take(&mut collector).documents;
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0].operation_name.as_deref(), Some("GET /"));
}

/// Whether a filter matches; `None` if it is refused.
fn verdict(envelope: &Envelope<'_>, of: &str, condition: (&str, &str, &str)) -> Option<bool> {
    let (field, predicate, comparand) = condition;
    let filter = json!({"FieldName": field, "Predicate": predicate, "Comparand": comparand});
    let other = json!({"FieldName": "CustomDimensions.no", "Predicate": "Equal", "Comparand": "x"});
    // Two groups of a stream are alternatives.
    let groups = [filter, other]
        .map(|filter| json!({"TelemetryType": of, "Filters": {"Filters": [filter]}}));
    let info = json!({"DocumentStreams": [{"Id": "a", "DocumentFilterGroups": groups}]});
    let configuration = Configuration::read("e", info.to_string().as_bytes());
    let is_refused = !configuration.errors().is_empty();
    let mut collector = Collector::new(Arc::new(configuration), Duration::ZERO);
    collector.observe(envelope, 1, Duration::ZERO);
    let is_sampled = !take(&mut collector).documents.is_empty();
    (!is_refused).then_some(is_sampled)
}

#[test]
fn filters_compare_as_specified_beyond_the_common_cases() {
    let mut one = request(1_500, true);
    if let Data::Request(data) = &mut one.data {
        data.name = "GET /ÄPFEL".into();
        data.properties.push("number", " 7 ");
        data.measurements.push("size", 7.25);
    }
    for (condition, expected) in [
        (("Name", "Contains", "/äpf"), Some(true)),
        (("Name", "Equal", "get /äpfel"), Some(true)),
        (("CustomDimensions.number", "LessThan", "8"), Some(true)),
        (("CustomDimensions.absent", "LessThan", "8"), Some(false)),
        (("CustomMetrics.size", "LessThan", "8"), Some(true)),
        (("CustomMetrics.absent", "LessThan", "8"), Some(false)),
        (("CustomDimensions.", "Equal", "x"), None),
        (("*", "Contains", "true"), Some(true)),
        (("*", "Contains", "00:00:01.5"), Some(true)),
        (("*", "Contains", "7.25"), Some(true)),
        (("*", "Contains", "number"), Some(false)),
    ] {
        assert_eq!(
            verdict(&one, "Request", condition),
            expected,
            "{condition:?}"
        );
    }
    let event = item("EventData", json!({"name": "x"}));
    for condition in [
        ("Success", "Equal", "true"),
        ("Duration", "LessThan", "00:00:01"),
    ] {
        assert_eq!(verdict(&event, "Event", condition), None, "{condition:?}");
    }
    let trace = item("MessageData", json!({"message": "x"}));
    let condition = ("SeverityLevel", "LessThan", "3");
    assert_eq!(verdict(&trace, "Trace", condition), None);
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

#[test]
fn what_finds_no_room_is_counted_all_the_same() {
    let (live, unsampled) = Live::new(Arc::default());
    let span = |kind, status| {
        Item::from(SpanData {
            span_kind: kind,
            status,
            ..crate::fixtures::span("work")
        })
    };
    let work = || span(SpanKind::Internal, Status::Unset);
    assert!(live.offer(work()).is_err(), "no reader is subscribed");
    live.start(Arc::default());
    let given_back = (0..20_000).filter(|_| live.offer(work()).is_err()).count();
    assert_eq!(given_back + unsampled.len(), 20_000);
    assert!(given_back > 0);
    for kind in [SpanKind::Server, SpanKind::Consumer, SpanKind::Client] {
        for status in [Status::Unset, Status::error("failed")] {
            live.miss(&mut span(kind.clone(), status));
        }
    }
    let calls = |collected: &Collected, name: &str| {
        let name = format!(r"\ApplicationInsights\{name}");
        let mut metrics = collected.metrics.iter();
        metrics.find(|metric| metric.name == name).unwrap().clone()
    };
    let collected = live.take().unwrap();
    let dependencies = calls(&collected, "Dependency Call Duration");
    assert_eq!(dependencies.weight, given_back as u64 + 2);
    assert_eq!(dependencies.value, 125.0);
    assert_eq!(calls(&collected, "Request Duration").weight, 4);
    let rate = |name| calls(&collected, name).value;
    // Halves of an interval whose length is not known.
    let (failed, all) = (rate("Requests Failed/Sec"), rate("Requests/Sec"));
    assert!((failed * 2.0 - all).abs() < all / 1_000.0, "{failed} {all}");
    let failed = rate("Dependency Calls Failed/Sec");
    assert!((failed * 4.0 - all).abs() < all / 1_000.0, "{failed} {all}");
    // A point that was not taken does not reach the next reader.
    live.miss(&mut work());
    live.stop();
    live.miss(&mut work());
    live.start(Arc::default());
    let collected = live.take().unwrap();
    assert_eq!(calls(&collected, "Dependency Call Duration").weight, 0);
}
