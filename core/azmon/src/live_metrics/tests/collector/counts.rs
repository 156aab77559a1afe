//! The figures of an interval.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use serde_json::json;

use super::{collector, configuration, item, metric, request, stream, take};
use crate::envelope::Data;
use crate::item::Item;
use crate::live_metrics::{Collected, Configuration, Counts, Live, MetricValue};

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
