use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;

use crate::error::BuildError;
use crate::exporter::ExporterBuilder;
use crate::exporter::sender::Sender;
use crate::item::{DroppedItems, Item};

/// Sends spans to Azure Monitor, for a tracer provider that the application assembles itself.
///
/// [`Telemetry`](crate::Telemetry) does more with less code: its queue is larger, it uploads several batches
/// concurrently, and it gives child spans the name of their request. This exporter is for programs that must keep their
/// own provider and processors. It works with any processor of the SDK, on any thread, with or without an async
/// runtime, because its own worker thread sends.
///
/// An export completes once the service has accepted the spans or they are on disk. If they are only in memory, the
/// export fails, and azmon still sends them again. Unsampled spans are skipped. Exporters of one process with the same
/// endpoint share a worker, a connection and a storage.
///
/// # Examples
///
/// ```no_run
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let exporter = azmon::SpanExporter::builder().build()?; // APPLICATIONINSIGHTS_CONNECTION_STRING
/// let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
/// # Ok::<(), azmon::BuildError>(())
/// ```
#[derive(Debug)]
pub struct SpanExporter(Sender);

/// Settings of a [`SpanExporter`].
pub type SpanExporterBuilder = ExporterBuilder<SpanExporter>;

impl SpanExporter {
    /// Starts to configure an exporter.
    #[must_use]
    pub fn builder() -> SpanExporterBuilder {
        ExporterBuilder::new()
    }

    /// The items dropped since the start, by reason, of all exporters with the same endpoint; empty if none were
    /// dropped.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.0.dropped_items()
    }
}

impl SpanExporterBuilder {
    /// Starts the worker thread, or joins the worker of another exporter.
    ///
    /// # Errors
    ///
    /// Fails if the connection string is missing or invalid, or if the worker thread, its event loop or TLS cannot be
    /// initialised.
    pub fn build(self) -> Result<SpanExporter, BuildError> {
        self.start().map(SpanExporter)
    }
}

impl opentelemetry_sdk::trace::SpanExporter for SpanExporter {
    // The SDK's batch processor also exports spans that are recorded but not sampled.
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.retain(|span| span.span_context.is_sampled());
        let items = batch.into_iter().map(Item::from).collect();
        self.0.export(self.0.mapper().clone(), items).await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
