use std::io;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};

use crate::config::OtlpEndpoints;
use crate::error::BuildErrorKind;
use crate::telemetry::assembly::Parts;

/// Adds the exporters below the SDK's own processors. Telemetry is suppressed on the threads of these processors, so
/// they never trace themselves.
pub(in crate::telemetry) fn add(
    mut parts: Parts,
    endpoints: &OtlpEndpoints,
    interval: Duration,
) -> Result<Parts, BuildErrorKind> {
    let client = client(endpoints.timeout)?;
    if let Some(endpoint) = &endpoints.traces {
        let spans = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_http_client(client.clone())
            .build()?;
        let processor = SampledOnly(BatchSpanProcessor::builder(spans).build());
        parts.tracers = parts.tracers.with_span_processor(processor);
    }
    if let Some(endpoint) = &endpoints.logs {
        let logs = LogExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_http_client(client.clone())
            .build()?;
        parts.logs = parts.logs.with_exporter(logs);
    }
    if let Some(endpoint) = &endpoints.metrics {
        let metrics = MetricExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_http_client(client)
            .build()?;
        let reader = PeriodicReader::builder(metrics).with_interval(interval);
        parts.meters.add(reader.build());
    }
    Ok(parts)
}

/// Makes a client for the SDK's own threads, which have no runtime. The exporter's default client depends on features
/// that other crates of an application enable.
fn client(timeout: Duration) -> Result<reqwest::blocking::Client, BuildErrorKind> {
    let build = move || {
        reqwest::blocking::Client::builder()
            .timeout(timeout)
            .build()
    };
    // The client starts its own runtime, which must not happen inside another runtime.
    let built = std::thread::Builder::new()
        .spawn(build)
        .map_err(BuildErrorKind::Worker)?
        .join();
    let built = built.map_err(|_| BuildErrorKind::Worker(io::Error::other("a panic")))?;
    built.map_err(|error| BuildErrorKind::Transport(error.to_string()))
}

/// Drops unsampled spans, which the SDK's batch processor would export if they are recorded.
#[derive(Debug)]
struct SampledOnly(BatchSpanProcessor);

impl SpanProcessor for SampledOnly {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.0.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
