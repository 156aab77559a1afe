use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use azmon_sqlx::TraceOptions;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

/// The providers of one test, which keep the telemetry.
pub(crate) struct Telemetry {
    pub(crate) tracer_provider: SdkTracerProvider,
    pub(crate) meter_provider: SdkMeterProvider,
    /// Pools with the same name are counted together, across tests.
    pub(crate) pool_name: String,
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (spans, metrics) = (
            InMemorySpanExporter::default(),
            InMemoryMetricExporter::default(),
        );
        Self {
            tracer_provider: SdkTracerProvider::builder()
                .with_simple_exporter(spans.clone())
                .build(),
            meter_provider: SdkMeterProvider::builder()
                .with_reader(PeriodicReader::builder(metrics.clone()).build())
                .build(),
            pool_name: format!("test {}", NEXT.fetch_add(1, Ordering::Relaxed)),
            spans,
            metrics,
        }
    }

    /// Options with which no wait is long enough for a span, even on a busy machine.
    pub(crate) fn options(&self) -> TraceOptions {
        TraceOptions::new()
            .acquire_span_threshold(Duration::MAX)
            .tracer_provider(&self.tracer_provider)
            .meter_provider(self.meter_provider.clone())
            .pool_name(self.pool_name.clone())
    }

    /// A context with a span named `parent`.
    pub(crate) fn parent(&self) -> Context {
        let tracer = self.tracer_provider.tracer("test");
        Context::new().with_span(tracer.start("parent"))
    }

    /// The spans that have ended since the last call.
    pub(crate) fn take(&self) -> Vec<Seen> {
        let spans = self.spans.get_finished_spans().unwrap();
        self.spans.reset();
        spans.into_iter().map(Seen).collect()
    }

    /// The only span that has ended since the last call.
    #[track_caller]
    pub(crate) fn take_one(&self) -> Seen {
        let mut spans = self.take();
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.swap_remove(0)
    }

    pub(crate) fn take_names(&self) -> Vec<String> {
        self.take()
            .into_iter()
            .map(|span| span.0.name.into_owned())
            .collect()
    }

    /// The sum of the metric `name` over all points that have all of `attributes`.
    pub(crate) fn sum(&self, name: &str, attributes: &[(&str, &str)]) -> i64 {
        self.points(name, attributes)
            .iter()
            .map(|point| point.1)
            .sum()
    }

    /// The attributes and the value of each point of the metric `name`. The value of a histogram is its count.
    pub(crate) fn points(
        &self,
        name: &str,
        attributes: &[(&str, &str)],
    ) -> Vec<(Vec<(String, String)>, i64)> {
        self.metrics.reset();
        self.meter_provider.force_flush().unwrap();
        let resources = self.metrics.get_finished_metrics().unwrap();
        let mut points = Vec::new();
        for metric in resources
            .iter()
            .flat_map(|r| r.scope_metrics())
            .flat_map(|scope| scope.metrics())
        {
            if metric.name() == name {
                read(metric.data(), &mut points);
            }
        }
        let has = |point: &(Vec<(String, String)>, i64)| {
            attributes
                .iter()
                .all(|(key, value)| point.0.iter().any(|(k, v)| k == key && v == value))
        };
        points.retain(has);
        points
    }
}

fn read(data: &AggregatedMetrics, points: &mut Vec<(Vec<(String, String)>, i64)>) {
    fn text<'a>(
        attributes: impl Iterator<Item = &'a opentelemetry::KeyValue>,
    ) -> Vec<(String, String)> {
        attributes
            .map(|attribute| (attribute.key.to_string(), attribute.value.to_string()))
            .collect()
    }
    match data {
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            points.extend(
                histogram
                    .data_points()
                    .map(|p| (text(p.attributes()), p.count() as i64)),
            );
        }
        AggregatedMetrics::I64(MetricData::Sum(sum)) => {
            points.extend(sum.data_points().map(|p| (text(p.attributes()), p.value())));
        }
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            points.extend(
                sum.data_points()
                    .map(|p| (text(p.attributes()), p.value() as i64)),
            );
        }
        other => panic!("no such metric is expected: {other:?}"),
    }
}

/// An ended span.
#[derive(Debug)]
pub(crate) struct Seen(pub(crate) SpanData);

impl Seen {
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        let mut found = self
            .0
            .attributes
            .iter()
            .filter(|attribute| attribute.key.as_str() == key);
        let value = found.next().map(|attribute| &attribute.value);
        assert!(found.next().is_none(), "{key} is there twice");
        value
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.value(key).map(|value| value.as_str().into_owned())
    }

    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        match self.value(key)? {
            Value::I64(number) => Some(*number),
            other => panic!("{key} is no number but {other:?}"),
        }
    }

    pub(crate) fn was_dropped(&self) -> bool {
        self.value(azmon_sqlx::DROPPED) == Some(&Value::Bool(true))
    }

    pub(crate) fn is_client(&self) -> bool {
        self.0.span_kind == SpanKind::Client
    }

    /// The description of its status, if the status is an error.
    pub(crate) fn error(&self) -> Option<&str> {
        match &self.0.status {
            Status::Error { description } => Some(description),
            Status::Ok | Status::Unset => None,
        }
    }

    #[track_caller]
    pub(crate) fn assert_failed(&self, code: &str) {
        assert_eq!(self.text("error.type").as_deref(), Some(code), "{self:?}");
        assert!(self.error().is_some(), "{self:?}");
    }

    #[track_caller]
    pub(crate) fn assert_ok(&self) {
        assert_eq!(self.error(), None);
        assert_eq!(self.value("error.type"), None);
        assert_eq!(self.value("db.response.status_code"), None);
    }
}
