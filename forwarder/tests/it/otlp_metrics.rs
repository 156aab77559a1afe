//! Totals of cumulative metrics, and exemplars.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, MetricPoint};
use azmon_forwarder::inputs::OtlpOptions;
use serde_json::{Value, json};

use crate::support::{Kept, named, otlp_http};

const STARTED: u64 = 1_700_000_000;

async fn send(points: &[Value]) -> Vec<MetricPoint<'static>> {
    let sink = Arc::new(Kept::default());
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(STARTED);
    let (address, _) = otlp_http(&sink, OtlpOptions::default().started(started)).await;
    for metric in points {
        let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]});
        let answer = reqwest::Client::new()
            .post(format!("http://{address}/v1/metrics"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.text().await.unwrap(), "{}");
    }
    let envelopes = sink.envelopes().into_iter();
    envelopes
        .map(|envelope| match envelope.data {
            Data::Metric(mut data) => data.metrics.remove(0),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// A time, in seconds after the start, as OTLP writes it.
fn at(seconds: u64) -> String {
    format!("{}000000000", STARTED + seconds)
}

#[tokio::test]
async fn totals_of_a_counter_become_increments() {
    let total = |seconds, value: u64| {
        json!({"name": "orders", "sum": {
            "aggregationTemporality": 2,
            "isMonotonic": true,
            "dataPoints": [{
                "startTimeUnixNano": at(1),
                "timeUnixNano": at(seconds),
                "asInt": value.to_string(),
            }],
        }})
    };
    let points = send(&[total(10, 5), total(20, 5), total(30, 12)]).await;
    let values: Vec<_> = points.iter().map(|point| point.value).collect();
    assert_eq!(values, [5.0, 7.0]);
}

#[tokio::test]
async fn totals_of_an_up_down_counter_stay() {
    let total = |value: i64| {
        json!({"name": "open", "sum": {
            "aggregationTemporality": 2,
            "isMonotonic": false,
            "dataPoints": [{"timeUnixNano": at(1), "asInt": value}],
        }})
    };
    let points = send(&[total(5), total(-2)]).await;
    let values: Vec<_> = points.iter().map(|point| point.value).collect();
    assert_eq!(values, [5.0, -2.0]);
}

#[tokio::test]
async fn totals_of_a_histogram_become_increments_with_the_bounds_of_its_buckets() {
    let total = |seconds, count: u64, sum: f64, buckets: [u64; 3]| {
        json!({"name": "size", "histogram": {
            "aggregationTemporality": 2,
            "dataPoints": [{
                "startTimeUnixNano": at(1),
                "timeUnixNano": at(seconds),
                "count": count.to_string(),
                "sum": sum,
                "min": 1.0,
                "max": 90.0,
                "explicitBounds": [10.0, 100.0],
                "bucketCounts": buckets.map(|count| count.to_string()),
            }],
        }})
    };
    let points = send(&[
        total(10, 3, 93.0, [2, 1, 0]),
        total(20, 5, 133.0, [2, 3, 0]),
    ])
    .await;
    let [_, second] = points.as_slice() else {
        panic!("{points:?}")
    };
    assert_eq!((second.value, second.count), (40.0, Some(2)));
    assert_eq!((second.min, second.max), (Some(10.0), Some(100.0)));
}

#[tokio::test]
async fn points_that_were_not_recorded_or_have_no_values_make_no_items() {
    let points = send(&[
        json!({"name": "gone", "gauge": {"dataPoints": [{"flags": 1, "asDouble": 0.0}]}}),
        json!({"name": "empty", "histogram": {
            "aggregationTemporality": 1,
            "dataPoints": [{"count": "0", "sum": 0.0}],
        }}),
    ])
    .await;
    assert!(points.is_empty(), "{points:?}");
}

#[tokio::test]
async fn exemplars_are_kept() {
    let sink = Arc::new(Kept::default());
    let (address, _) = otlp_http(&sink, OtlpOptions::default()).await;
    let metric = json!({"name": "size", "gauge": {"dataPoints": [{
        "timeUnixNano": at(1),
        "asDouble": 4.5,
        "exemplars": [{
            "timeUnixNano": at(0),
            "asDouble": 4.5,
            "traceId": "0102030405060708090a0b0c0d0e0f10",
            "spanId": "0102030405060708",
            "filteredAttributes": [{"key": "user", "value": {"stringValue": "u1"}}],
        }],
    }]}});
    let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]});
    let answer = reqwest::Client::new()
        .post(format!("http://{address}/v1/metrics"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success());
    named(&sink.envelopes(), "size");
    let items = sink.items();
    let [exemplar] = items[0].exemplars.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(exemplar.value, 4.5);
    assert_eq!(exemplar.trace_id, "0102030405060708090a0b0c0d0e0f10");
    assert_eq!(exemplar.span_id, "0102030405060708");
    assert_eq!(exemplar.attributes, [("user".to_owned(), "u1".to_owned())]);
}
