//! OpenTelemetry's own exporters.

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

/// The encoding and the transport of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Protobuf over gRPC.
    Grpc,
    /// Protobuf over HTTP.
    HttpProtobuf,
    /// JSON over HTTP.
    HttpJson,
}

/// The exporters of one process.
#[derive(Debug)]
pub struct Exporters {
    /// The exporter of spans.
    pub spans: SpanExporter,
    /// The exporter of log records.
    pub logs: LogExporter,
    /// The exporter of metrics.
    pub metrics: MetricExporter,
}

impl Exporters {
    /// Makes exporters that send to the receiver at `url`, which has no path.
    #[must_use]
    pub fn new(transport: Transport, url: &str) -> Self {
        match transport {
            Transport::Grpc => Self::grpc(url),
            Transport::HttpProtobuf => Self::http(Protocol::HttpBinary, url),
            Transport::HttpJson => Self::http(Protocol::HttpJson, url),
        }
    }

    fn grpc(url: &str) -> Self {
        Self {
            spans: SpanExporter::builder()
                .with_tonic()
                .with_endpoint(url)
                .build()
                .unwrap(),
            logs: LogExporter::builder()
                .with_tonic()
                .with_endpoint(url)
                .build()
                .unwrap(),
            metrics: MetricExporter::builder()
                .with_tonic()
                .with_endpoint(url)
                .build()
                .unwrap(),
        }
    }

    fn http(protocol: Protocol, url: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            spans: SpanExporter::builder()
                .with_http()
                .with_http_client(client.clone())
                .with_protocol(protocol)
                .with_endpoint(format!("{url}/v1/traces"))
                .build()
                .unwrap(),
            logs: LogExporter::builder()
                .with_http()
                .with_http_client(client.clone())
                .with_protocol(protocol)
                .with_endpoint(format!("{url}/v1/logs"))
                .build()
                .unwrap(),
            metrics: MetricExporter::builder()
                .with_http()
                .with_http_client(client)
                .with_protocol(protocol)
                .with_endpoint(format!("{url}/v1/metrics"))
                .build()
                .unwrap(),
        }
    }
}

/// Exports the values that `measure` records with a meter of `resource`.
pub async fn export_metrics(
    exporter: &MetricExporter,
    resource: Resource,
    measure: impl FnOnce(&Meter),
) {
    let memory = InMemoryMetricExporter::default();
    let meters = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(PeriodicReader::builder(memory.clone()).build())
        .build();
    measure(&meters.meter("shop"));
    let flushed = meters.clone();
    tokio::task::spawn_blocking(move || flushed.force_flush())
        .await
        .unwrap()
        .unwrap();
    for metrics in memory.get_finished_metrics().unwrap() {
        exporter.export(&metrics).await.unwrap();
    }
}
