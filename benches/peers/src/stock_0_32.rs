//! OpenTelemetry's own SDK, like [`azmon_benches::fixtures::Stock`], in version 0.32.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use azmon_benches::fixtures::Backend;
use opentelemetry_0_32::global;
use opentelemetry_0_32::trace::TracerProvider;
use opentelemetry_sdk_0_32::error::OTelSdkResult;
use opentelemetry_sdk_0_32::metrics::data::ResourceMetrics;
use opentelemetry_sdk_0_32::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk_0_32::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk_0_32::propagation::TraceContextPropagator;
use opentelemetry_sdk_0_32::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tracing::subscriber::set_global_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// The globally installed SDK, with its batch processor and an exporter that discards spans.
#[derive(Debug)]
pub(crate) struct Stock {
    tracers: SdkTracerProvider,
    discard: Discard,
}

#[derive(Debug, Clone, Default)]
struct Discard(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    spans: AtomicU64,
    attributes: AtomicU64,
}

impl Stock {
    /// Samples with `sampler`.
    pub(crate) fn sampled(sampler: Sampler) -> Self {
        let discard = Discard::default();
        let tracers = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_batch_exporter(discard.clone())
            .build();
        global::set_tracer_provider(tracers.clone());
        global::set_text_map_propagator(TraceContextPropagator::new());
        Self { tracers, discard }
    }

    /// Also records metrics.
    pub(crate) fn with_metrics(self) -> Self {
        let reader = PeriodicReader::builder(self.discard.clone()).build();
        global::set_meter_provider(SdkMeterProvider::builder().with_reader(reader).build());
        self
    }

    /// Also records the spans of `tracing`.
    pub(crate) fn with_tracing(self) -> Self {
        let bridge =
            tracing_opentelemetry_0_33::layer().with_tracer(self.tracers.tracer("tracing"));
        set_global_default(registry().with(bridge)).expect("there is no other subscriber");
        self
    }
}

impl Backend for Stock {
    fn flush(&self) {
        self.tracers.force_flush().expect("spans are exported");
    }

    fn delivered(&self) -> Option<u64> {
        Some(self.discard.0.spans.load(Ordering::Acquire))
    }

    fn attributes(&self) -> Option<f64> {
        let spans = self.delivered().filter(|spans| *spans > 0)?;
        let attributes = self.discard.0.attributes.load(Ordering::Acquire);
        Some(attributes as f64 / spans as f64)
    }
}

impl SpanExporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let attributes: usize = batch.iter().map(|span| span.attributes.len()).sum();
        let counts = &self.0;
        counts
            .attributes
            .fetch_add(attributes as u64, Ordering::Release);
        counts
            .spans
            .fetch_add(batch.len() as u64, Ordering::Release);
        Ok(())
    }
}

impl PushMetricExporter for Discard {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}
