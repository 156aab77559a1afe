//! OpenTelemetry's own SDK with its OTLP exporters, installed globally, as its documentation advises.

use std::net::SocketAddr;

use azmon_benches::fixtures::Backend;
use opentelemetry::global;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    Compression, HttpExporterBuilderSet, LogExporter, MetricExporter, SpanExporter,
    SpanExporterBuilder, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;

/// Providers that send to a collector.
#[derive(Debug)]
pub(crate) struct Otlp {
    tracers: SdkTracerProvider,
    meters: Option<SdkMeterProvider>,
    loggers: Option<SdkLoggerProvider>,
    receiver: SocketAddr,
}

impl Otlp {
    /// Sends spans.
    pub(crate) fn start(receiver: SocketAddr) -> Self {
        Self::sends(receiver, SpanExporter::builder().with_http())
    }

    /// Sends compressed spans.
    pub(crate) fn start_with_gzip(receiver: SocketAddr) -> Self {
        let exporter = SpanExporter::builder().with_http();
        Self::sends(receiver, exporter.with_compression(Compression::Gzip))
    }

    fn sends(receiver: SocketAddr, exporter: SpanExporterBuilder<HttpExporterBuilderSet>) -> Self {
        let exporter = exporter
            .with_endpoint(format!("http://{receiver}/v1/traces"))
            .build();
        let tracers = SdkTracerProvider::builder()
            .with_batch_exporter(exporter.expect("the exporter can be built"))
            .build();
        global::set_tracer_provider(tracers.clone());
        global::set_text_map_propagator(TraceContextPropagator::new());
        Self {
            tracers,
            meters: None,
            loggers: None,
            receiver,
        }
    }

    /// Sends metrics, too.
    pub(crate) fn with_metrics(mut self) -> Self {
        let exporter = MetricExporter::builder()
            .with_http()
            .with_endpoint(format!("http://{}/v1/metrics", self.receiver))
            .build();
        let meters = SdkMeterProvider::builder()
            .with_periodic_exporter(exporter.expect("the exporter can be built"))
            .build();
        global::set_meter_provider(meters.clone());
        self.meters = Some(meters);
        self
    }

    /// Converts events of `tracing` to log records, and sends them.
    pub(crate) fn with_logs(
        mut self,
    ) -> (
        Self,
        OpenTelemetryTracingBridge<SdkLoggerProvider, opentelemetry_sdk::logs::SdkLogger>,
    ) {
        let exporter = LogExporter::builder()
            .with_http()
            .with_endpoint(format!("http://{}/v1/logs", self.receiver))
            .build();
        let loggers = SdkLoggerProvider::builder()
            .with_batch_exporter(exporter.expect("the exporter can be built"))
            .build();
        let bridge = OpenTelemetryTracingBridge::new(&loggers);
        self.loggers = Some(loggers);
        (self, bridge)
    }
}

impl Backend for Otlp {
    fn flush(&self) {
        self.tracers.force_flush().expect("spans are exported");
        if let Some(loggers) = &self.loggers {
            loggers.force_flush().expect("log records are exported");
        }
        if let Some(meters) = &self.meters {
            meters.force_flush().expect("metrics are exported");
        }
    }

    fn delivered(&self) -> Option<u64> {
        None
    }
}
