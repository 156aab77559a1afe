//! In-memory telemetry, servers on port 0, and a client that writes raw requests.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use azmon_tower::{ClientLayer, ServerLayer};
use opentelemetry::Value;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, HistogramDataPoint, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler, SdkTracerProvider, ShouldSample, SpanData,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The time limit for every wait of a test.
const PATIENCE: Duration = Duration::from_secs(20);

/// The telemetry of the layers, in memory.
pub(crate) struct TestTelemetry {
    pub(crate) tracers: SdkTracerProvider,
    pub(crate) meters: SdkMeterProvider,
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
}

impl TestTelemetry {
    pub(crate) fn new() -> Self {
        Self::sampled(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
    }

    pub(crate) fn sampled(sampler: impl ShouldSample + 'static) -> Self {
        let spans = InMemorySpanExporter::default();
        let metrics = InMemoryMetricExporter::default();
        Self {
            tracers: SdkTracerProvider::builder()
                .with_sampler(sampler)
                .with_simple_exporter(spans.clone())
                .build(),
            meters: SdkMeterProvider::builder()
                .with_reader(PeriodicReader::builder(metrics.clone()).build())
                .build(),
            spans,
            metrics,
        }
    }

    pub(crate) fn server(&self) -> ServerLayer {
        ServerLayer::with_environment(|_| None)
            .tracer_provider(&self.tracers)
            .meter_provider(&self.meters)
    }

    pub(crate) fn client(&self) -> ClientLayer {
        ClientLayer::with_environment(|_| None)
            .tracer_provider(&self.tracers)
            .meter_provider(&self.meters)
    }

    /// Waits for the spans to end, and asserts their number.
    pub(crate) async fn spans(&self, count: usize) -> Vec<SpanData> {
        until(|| self.ended().len() >= count).await;
        let spans = self.ended();
        assert_eq!(spans.len(), count, "{:?}", names(&spans));
        spans
    }

    pub(crate) async fn span(&self) -> SpanData {
        self.spans(1).await.remove(0)
    }

    pub(crate) fn ended(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    /// All points of an instrument.
    pub(crate) fn points(&self, instrument: &str) -> Vec<Point> {
        self.metrics.reset();
        self.meters.force_flush().unwrap();
        let resources = self.metrics.get_finished_metrics().unwrap();
        resources
            .iter()
            .flat_map(|resource| resource.scope_metrics())
            .flat_map(|scope| scope.metrics())
            .filter(|metric| metric.name() == instrument)
            .flat_map(|metric| points(metric.data(), metric.unit()))
            .collect()
    }

    /// Waits until no request is in flight.
    pub(crate) async fn idle(&self, instrument: &str) {
        until(|| {
            let points = self.points(instrument);
            !points.is_empty() && points.iter().all(|point| point.sum == 0.0)
        })
        .await;
    }
}

/// One point of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) bounds: Vec<f64>,
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) unit: String,
}

fn points(data: &AggregatedMetrics, unit: &str) -> Vec<Point> {
    fn histogram<T: Copy>(point: &HistogramDataPoint<T>, unit: &str, sum: f64) -> Point {
        Point {
            attributes: labels(point.attributes()),
            bounds: point.bounds().collect(),
            count: point.count(),
            sum,
            unit: unit.to_owned(),
        }
    }
    match data {
        AggregatedMetrics::F64(MetricData::Histogram(data)) => data
            .data_points()
            .map(|point| histogram(point, unit, point.sum()))
            .collect(),
        AggregatedMetrics::U64(MetricData::Histogram(data)) => data
            .data_points()
            .map(|point| histogram(point, unit, point.sum() as f64))
            .collect(),
        AggregatedMetrics::I64(MetricData::Sum(data)) => data
            .data_points()
            .map(|point| Point {
                attributes: labels(point.attributes()),
                bounds: Vec::new(),
                count: 0,
                sum: point.value() as f64,
                unit: unit.to_owned(),
            })
            .collect(),
        other => panic!("unexpected metric {other:?}"),
    }
}

fn labels<'a>(
    attributes: impl Iterator<Item = &'a opentelemetry::KeyValue>,
) -> BTreeMap<String, String> {
    attributes
        .map(|attribute| (attribute.key.to_string(), attribute.value.to_string()))
        .collect()
}

/// Waits for a condition that another task fulfils.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain");
        tokio::task::yield_now().await;
    }
}

/// The value of an attribute, which occurs at most once.
pub(crate) fn attribute(span: &SpanData, key: &str) -> Option<Value> {
    let mut values = span
        .attributes
        .iter()
        .filter(|attribute| attribute.key.as_str() == key);
    let value = values.next().map(|attribute| attribute.value.clone());
    assert!(values.next().is_none(), "{key} is there twice");
    value
}

pub(crate) fn text(span: &SpanData, key: &str) -> Option<String> {
    attribute(span, key).map(|value| match value {
        Value::String(text) => text.into(),
        other => panic!("{key} is not a string: {other:?}"),
    })
}

pub(crate) fn number(span: &SpanData, key: &str) -> Option<i64> {
    attribute(span, key).map(|value| match value {
        Value::I64(number) => number,
        other => panic!("{key} is not an integer: {other:?}"),
    })
}

pub(crate) fn is_error(span: &SpanData) -> bool {
    matches!(span.status, opentelemetry::trace::Status::Error { .. })
}

pub(crate) fn names(spans: &[SpanData]) -> Vec<&str> {
    spans.iter().map(|span| &*span.name).collect()
}

pub(crate) fn named<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    spans
        .iter()
        .find(|span| span.name == name)
        .unwrap_or_else(|| panic!("no span {name} in {:?}", names(spans)))
}

/// Serves a router; the task ends with the runtime of the test.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}

/// Sends the lines of a request head, with an optional body, and reads until the server closes the connection.
pub(crate) async fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = open(address, request).await;
    let mut response = Vec::new();
    within(stream.read_to_end(&mut response)).await.unwrap();
    String::from_utf8(response).unwrap()
}

/// Sends a `GET` request for a path, with further header lines.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[&str]) -> String {
    let mut request = format!("GET {path} HTTP/1.1\nhost: shop.test\nconnection: close\n");
    for header in headers {
        request.push_str(header);
        request.push('\n');
    }
    request.push('\n');
    send(address, &request).await
}

/// Sends a request, and leaves the connection open.
pub(crate) async fn open(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = request.replace('\n', "\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("took too long")
}
