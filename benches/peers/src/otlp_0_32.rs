//! The SDK of OpenTelemetry 0.32 with its OTLP exporter, for peers with an older OpenTelemetry than azmon's.

use std::net::SocketAddr;

use azmon_benches::fixtures::Backend;
use opentelemetry_0_32::global;
use opentelemetry_0_32::trace::TracerProvider;
use opentelemetry_otlp_0_32::{SpanExporter, WithExportConfig};
use opentelemetry_sdk_0_32::propagation::TraceContextPropagator;
use opentelemetry_sdk_0_32::trace::{SdkTracer, SdkTracerProvider};

/// A provider that sends spans to a collector, installed globally.
#[derive(Debug)]
pub(crate) struct Otlp {
    tracers: SdkTracerProvider,
}

impl Otlp {
    pub(crate) fn start(receiver: SocketAddr) -> Self {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("http://{receiver}/v1/traces"))
            .build();
        let tracers = SdkTracerProvider::builder()
            .with_batch_exporter(exporter.expect("the exporter can be built"))
            .build();
        global::set_tracer_provider(tracers.clone());
        global::set_text_map_propagator(TraceContextPropagator::new());
        Self { tracers }
    }

    /// The tracer of the bridge from `tracing`.
    pub(crate) fn tracer(&self) -> SdkTracer {
        self.tracers.tracer("tracing")
    }
}

impl Backend for Otlp {
    fn flush(&self) {
        self.tracers.force_flush().expect("spans are exported");
    }

    fn delivered(&self) -> Option<u64> {
        None
    }
}
