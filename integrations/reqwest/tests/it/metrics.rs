//! The metrics of calls.

use axum::Router;
use axum::routing::any;
use azmon_reqwest::UrlTemplate;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::Sampler;
use reqwest_middleware::ClientWithMiddleware;

use crate::fixture::{Recorder, port, serve, with};

struct Meters {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

/// A histogram's count and sum, or a counter's sum, with the attributes.
#[derive(Debug)]
struct Point {
    count: u64,
    sum: f64,
    attributes: Vec<KeyValue>,
}

impl Point {
    fn attribute(&self, key: &str) -> Option<Value> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|attribute| attribute.key.as_str() == key)?;
        Some(found.value.clone())
    }
}

impl Meters {
    fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder()
            .with_periodic_exporter(exporter.clone())
            .build();
        Self { provider, exporter }
    }

    fn client(&self, recorder: &Recorder) -> ClientWithMiddleware {
        with(recorder.middleware().meter_provider(&self.provider))
    }

    fn points(&self, name: &str) -> Vec<Point> {
        self.provider.force_flush().unwrap();
        let finished = self.exporter.get_finished_metrics().unwrap();
        let last = finished.last().unwrap();
        let metrics = last.scope_metrics().flat_map(|scope| scope.metrics());
        metrics
            .filter(|metric| metric.name() == name)
            .flat_map(|metric| points_of(metric.data()))
            .collect()
    }
}

fn points_of(data: &AggregatedMetrics) -> Vec<Point> {
    match data {
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
            .data_points()
            .map(|point| Point {
                count: point.count(),
                sum: point.sum(),
                attributes: point.attributes().cloned().collect(),
            })
            .collect(),
        AggregatedMetrics::U64(MetricData::Histogram(histogram)) => histogram
            .data_points()
            .map(|point| Point {
                count: point.count(),
                sum: point.sum() as f64,
                attributes: point.attributes().cloned().collect(),
            })
            .collect(),
        AggregatedMetrics::I64(MetricData::Sum(sum)) => sum
            .data_points()
            .map(|point| Point {
                count: 0,
                sum: point.value() as f64,
                attributes: point.attributes().cloned().collect(),
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

async fn echo() -> String {
    let handler = |body: String| async move { body };
    serve(Router::new().fallback(any(handler))).await
}

#[tokio::test]
async fn duration_and_sizes_of_a_call_are_recorded() {
    let (recorder, meters) = (Recorder::new(), Meters::new());
    let url = echo().await;
    for number in 0..3 {
        let request = meters
            .client(&recorder)
            .post(format!("{url}/users/{number}"));
        let request = request.with_extension(UrlTemplate::new("/users/{id}"));
        let response = request.body("hello").send().await.unwrap();
        response.bytes().await.unwrap();
    }
    let durations = meters.points("http.client.request.duration");
    let [duration] = durations.as_slice() else {
        panic!("{durations:?}")
    };
    assert_eq!(duration.count, 3);
    assert!(
        duration.sum > 0.0 && duration.sum < 60.0,
        "seconds: {duration:?}"
    );
    for (key, value) in [
        ("http.request.method", Value::from("POST")),
        ("http.response.status_code", 200.into()),
        ("network.protocol.version", "1.1".into()),
        ("server.address", "127.0.0.1".into()),
        ("server.port", port(&url).into()),
        ("url.scheme", "http".into()),
        ("url.template", "/users/{id}".into()),
    ] {
        assert_eq!(duration.attribute(key), Some(value), "{key}");
    }
    assert_eq!(duration.attributes.len(), 7, "{duration:?}");
    for name in [
        "http.client.request.body.size",
        "http.client.response.body.size",
    ] {
        let sizes = meters.points(name);
        assert_eq!((sizes[0].count, sizes[0].sum), (3, 15.0), "{name}");
    }
}

#[tokio::test]
async fn a_failed_call_is_measured_with_the_type_of_its_error() {
    let (recorder, meters) = (Recorder::new(), Meters::new());
    let call = meters
        .client(&recorder)
        .get("http://nowhere.invalid")
        .send();
    call.await.unwrap_err();
    let durations = meters.points("http.client.request.duration");
    assert_eq!(durations[0].attribute("error.type"), Some("dns".into()));
    assert_eq!(durations[0].attribute("http.response.status_code"), None);
}

#[tokio::test]
async fn calls_are_active_until_their_bodies_end_or_are_dropped() {
    let (recorder, meters) = (Recorder::new(), Meters::new());
    let client = meters.client(&recorder);
    let active = || meters.points("http.client.active_requests")[0].sum;
    let request = client.post(echo().await).body("hello");
    let again = request.try_clone().unwrap();
    let response = request.send().await.unwrap();
    assert_eq!(active(), 1.0);
    response.bytes().await.unwrap();
    assert_eq!(active(), 0.0);
    let dropped = again.send().await.unwrap();
    assert_eq!(active(), 1.0);
    drop(dropped);
    assert_eq!(active(), 0.0);
}

#[tokio::test]
async fn calls_that_are_not_sampled_are_measured_too() {
    let (recorder, meters) = (Recorder::with_sampler(Sampler::AlwaysOff), Meters::new());
    let request = meters.client(&recorder).post(echo().await).body("hello");
    request.send().await.unwrap().bytes().await.unwrap();
    assert!(recorder.spans().is_empty());
    let sizes = meters.points("http.client.response.body.size");
    assert_eq!((sizes[0].count, sizes[0].sum), (1, 5.0));
}

#[tokio::test]
async fn metrics_can_be_off_and_excluded_hosts_have_none() {
    let (recorder, meters) = (Recorder::new(), Meters::new());
    let middleware = recorder.middleware().meter_provider(&meters.provider);
    let url = echo().await;
    for middleware in [
        middleware.clone().metrics(false),
        middleware.exclude_hosts(["127.0.0.1"]),
    ] {
        with(middleware).get(&url).send().await.unwrap();
    }
    meters.provider.force_flush().unwrap();
    assert!(meters.exporter.get_finished_metrics().unwrap().is_empty());
}
