use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;

use crate::error::BuildError;
use crate::exporter::ExporterBuilder;
use crate::exporter::sender::Sender;
use crate::item::{DroppedItems, Item};

/// Sends spans to Azure Monitor, for a tracer provider that is put together by hand.
///
/// [`Telemetry`](crate::Telemetry) does more with less: its queue is larger, it uploads several batches
/// at once, and gives children the name of their request. This exporter is for programs that must keep
/// their own provider and processors. It works under any processor of the SDK, on any thread, in any runtime
/// or none, since its own worker thread does the sending.
///
/// An export waits until the service has the spans, or they are on disk. Spans that are held in memory alone
/// are sent again, though the export answers with an error; spans that are not sampled are left out.
/// Exporters of one process share a worker, a connection and a storage if they send to the same endpoint.
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

    /// What was dropped since the start, by reason, of all exporters that send to the same endpoint; empty if
    /// nothing was.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.0.dropped_items()
    }
}

impl SpanExporterBuilder {
    /// Starts the worker thread, or joins that of another exporter.
    ///
    /// # Errors
    ///
    /// When there is no connection string or it cannot be read, or when the system gives no thread, no
    /// event queue or no TLS.
    pub fn build(self) -> Result<SpanExporter, BuildError> {
        self.start().map(SpanExporter)
    }
}

impl opentelemetry_sdk::trace::SpanExporter for SpanExporter {
    // The SDK's batch processor also hands over spans that are recorded but not sampled.
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
