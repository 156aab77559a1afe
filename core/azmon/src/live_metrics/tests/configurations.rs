//! Configurations: their arrival, limits and errors.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Scene, Step, body, metric, request};
use crate::live_metrics::{Collector, Configuration, MAX_CONFIGURATION, MAX_FILTERS};

#[tokio::test(start_paused = true)]
async fn a_configuration_comes_with_a_ping_and_replaces_the_one_before_between_two_points() {
    let configuration = |id: &str| {
        body(&format!(
            r#"{{"ETag":"x","Metrics":[{{"Id":"{id}","TelemetryType":"Request","FilterGroups":[],"Projection":"Count()","Aggregation":"Sum","BackEndAggregation":"Sum"}}],
            "DocumentStreams":[{{"Id":"s","DocumentFilterGroups":[{{"TelemetryType":"Request","Filters":{{"Filters":[]}}}}]}}],"QuotaInfo":null}}"#
        ))
    };
    let scene = Scene::new([
        Step::Yes("one", configuration("a")),
        Step::Yes("two", configuration("b")),
        Step::Yes("two", body("not read again")),
    ]);
    scene.sent_until(0.0).await;
    scene.live.observe(&request(100, true));
    scene.sent_until(1.0).await;
    scene.live.observe(&request(100, true));
    scene.sent_until(2.0).await;
    let etag = |index| scene.header(index, "x-ms-qps-configuration-etag").unwrap();
    assert_eq!(
        (etag(0), etag(1), etag(2)),
        (String::new(), "one".to_owned(), "two".to_owned())
    );
    let (first, second) = (scene.body(1), scene.body(2));
    assert_eq!(metric(&first[0], "a"), (1.0, 1.0));
    assert_eq!(metric(&second[0], "b"), (1.0, 1.0));
    let names = second[0]["Metrics"].to_string();
    assert!(!names.contains(r#""a""#), "{names}");
    let document = &first[0]["Documents"][0];
    assert_eq!(document["DocumentType"], "Request");
    assert_eq!(document["DocumentStreamIds"], serde_json::json!(["s"]));
    assert_eq!(document["Duration"], "PT0.1S");
    let properties = serde_json::json!([{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]);
    assert_eq!(document["Properties"], properties);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_cannot_be_read_is_reported_with_each_post_and_not_asked_for_again() {
    let large = Bytes::from(vec![b' '; MAX_CONFIGURATION + 1]);
    for (refused, reason) in [(body("{garbage"), "not readable"), (large, "larger than")] {
        let scene = Scene::new([Step::Yes("bad", refused)]);
        scene.sent_until(2.0).await;
        for index in [1, 2] {
            assert_eq!(
                scene
                    .header(index, "x-ms-qps-configuration-etag")
                    .as_deref(),
                Some("bad")
            );
            let body = scene.body(index);
            let errors = body[0]["CollectionConfigurationErrors"].as_array().unwrap();
            let [error] = errors.as_slice() else {
                panic!("{errors:?}")
            };
            let kind = "CollectionConfigurationFailureToCreateUnexpected";
            assert_eq!(error["CollectionConfigurationErrorType"], kind);
            assert!(
                error["Message"].as_str().unwrap().contains(reason),
                "{error}"
            );
            assert_eq!(
                error["Data"][0],
                serde_json::json!({"key": "ETag", "value": "bad"})
            );
        }
    }
}

#[test]
fn of_a_thousand_filters_as_many_hold_as_may_and_the_others_are_reported() {
    let filter = r#"{"FieldName":"Name","Predicate":"Contains","Comparand":"x"}"#;
    let metric = |id: usize| {
        format!(
            r#"{{"Id":"{id}","TelemetryType":"Request","FilterGroups":[{{"Filters":[{}]}}],"Projection":"Count()","Aggregation":"Sum"}}"#,
            [filter; 10].join(",")
        )
    };
    let metrics: Vec<_> = (0..100).map(metric).collect();
    let text = format!(r#"{{"Metrics":[{}]}}"#, metrics.join(","));
    let configuration = Configuration::read("e", text.as_bytes());
    assert_eq!(configuration.metrics.len(), MAX_FILTERS / 10);
    let errors = configuration.errors();
    assert_eq!(errors.len(), 64, "no more are reported");
    assert!(errors[0].message.contains("more than 256 filters"));
}

#[test]
fn errors_name_the_part_that_is_wrong_and_the_rest_applies() {
    let text = r#"{"Metrics":[
        {"Id":"a","TelemetryType":"PerformanceCounter","Projection":"x","Aggregation":"Sum"},
        {"Id":"b","TelemetryType":"Request","Projection":"*","Aggregation":"Sum"},
        {"Id":"c","TelemetryType":"Request","Projection":"Count()","Aggregation":"Median"},
        {"Id":"d","TelemetryType":"Request","Projection":"Count()","Aggregation":"Sum","FilterGroups":[{"Filters":[{"FieldName":"Nme","Predicate":"Equal","Comparand":"x"}]}]},
        {"Id":"e","TelemetryType":"Request","Projection":"Count()","Aggregation":"Sum","FilterGroups":null},
        {"Id":"e","TelemetryType":"Request","Projection":"Count()","Aggregation":"Sum"}],
      "DocumentStreams":[
        {"Id":"s","DocumentFilterGroups":[
            {"TelemetryType":"Request","Filters":{"Filters":[{"FieldName":"Success","Predicate":"Contains","Comparand":"true"}]}},
            {"TelemetryType":"Trace","Filters":{"Filters":[]}},
            {"TelemetryType":"Metric","Filters":{"Filters":[]}}]},
        {"Id":"s"}]}"#;
    let configuration = Configuration::read("tag", text.as_bytes());
    let errors = configuration.errors().iter().map(|error| {
        let of = &error.data[0];
        let kind = error.collection_configuration_error_type;
        (kind, of.key.as_str(), of.value.as_str())
    });
    assert_eq!(
        errors.collect::<Vec<_>>(),
        [
            ("MetricTelemetryTypeUnsupported", "MetricId", "a"),
            ("MetricFailureToCreate", "MetricId", "b"),
            ("MetricFailureToCreate", "MetricId", "c"),
            ("MetricFailureToCreateFilterUnexpected", "MetricId", "d"),
            ("MetricDuplicateIds", "MetricId", "e"),
            (
                "DocumentStreamFailureToCreateFilterUnexpected",
                "DocumentStreamId",
                "s"
            ),
            (
                "CollectionConfigurationFailureToCreateUnexpected",
                "DocumentStreamId",
                "s"
            ),
            ("DocumentStreamDuplicateIds", "DocumentStreamId", "s"),
        ]
    );
    let filter = &configuration.errors()[3];
    let data: Vec<_> = filter.data.iter().map(|pair| pair.key.as_str()).collect();
    let expected = [
        "MetricId",
        "FilterFieldName",
        "FilterPredicate",
        "FilterComparand",
        "ETag",
    ];
    assert_eq!(data, expected);
    assert_eq!(configuration.metrics.len(), 1);
    let mut collector = Collector::new(Arc::new(configuration), Duration::ZERO);
    collector.observe(&request(1, true), 1, Duration::ZERO);
    let collected = collector.take(Duration::from_secs(1)).unwrap();
    assert_eq!(
        collected.documents,
        [],
        "requests of the stream were refused"
    );
    assert_eq!(collected.metrics.last().unwrap().value, 1.0);
}
