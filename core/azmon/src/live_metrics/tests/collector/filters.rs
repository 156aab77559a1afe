//! The filters of a configuration, and its limits.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::super::MAX_CONFIGURATION;
use super::{collector, item, request, take};
use crate::envelope::{Data, Envelope, tags};
use crate::live_metrics::{Collector, Configuration};

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
    body.push_str(&" ".repeat(MAX_CONFIGURATION - body.len()));
    let configuration = Configuration::read("tag", body.as_bytes());
    let [error] = configuration.errors() else {
        panic!("{:?}", configuration.errors())
    };
    assert_eq!(error.message, "the configuration has more than 256 filters");
    assert_eq!(error.data[0].value, "b");
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
