use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::LogBatch;

use crate::error::BuildError;
use crate::exporter::ExporterBuilder;
use crate::exporter::sender::Sender;
use crate::item::{DropReason, DroppedItems, Item, TelemetryType};
use crate::pipeline::UnsampledLogs;

/// Sends log records to Azure Monitor, for a logger provider that is put together by hand.
///
/// [`Telemetry`](crate::Telemetry) does more with less, as with [`SpanExporter`](crate::SpanExporter): a
/// record's operation name and sample rate are those of its context, which an exporter does not see. What
/// records become is told by [`mapping`](crate::mapping).
///
/// An export waits until the service has the records, or they are on disk. Records that are held in memory
/// alone are sent again, though the export answers with an error.
///
/// # Examples
///
/// ```no_run
/// use opentelemetry_sdk::logs::SdkLoggerProvider;
///
/// let exporter = azmon::LogExporter::builder().build()?; // APPLICATIONINSIGHTS_CONNECTION_STRING
/// let provider = SdkLoggerProvider::builder().with_batch_exporter(exporter).build();
/// # Ok::<(), azmon::BuildError>(())
/// ```
#[derive(Debug)]
pub struct LogExporter {
    sender: Sender,
    unsampled: UnsampledLogs,
}

/// Settings of a [`LogExporter`].
pub type LogExporterBuilder = ExporterBuilder<LogExporter>;

impl LogExporter {
    /// Starts to configure an exporter.
    #[must_use]
    pub fn builder() -> LogExporterBuilder {
        ExporterBuilder::new()
    }

    /// What was dropped since the start, by reason; empty if nothing was.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.sender.dropped_items()
    }
}

impl LogExporterBuilder {
    /// Sets what becomes of records in spans that are not sampled. Defaults to
    /// [`UnsampledLogs::KeepErrors`].
    #[must_use]
    pub fn unsampled_logs(mut self, logs: UnsampledLogs) -> Self {
        self.unsampled_logs = logs;
        self
    }

    /// Starts the worker thread, or joins that of another exporter.
    ///
    /// # Errors
    ///
    /// When there is no connection string or it cannot be read, or when the system gives no thread, no
    /// event queue or no TLS.
    pub fn build(self) -> Result<LogExporter, BuildError> {
        let unsampled = self.unsampled_logs;
        self.start().map(|sender| LogExporter { sender, unsampled })
    }
}

impl opentelemetry_sdk::logs::LogExporter for LogExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let mut unsampled = 0;
        let mut items = Vec::new();
        for (record, scope) in batch.iter() {
            match self.unsampled.admit(record, scope) {
                Some(log) => items.push(Item::from(log)),
                None => unsampled += 1,
            }
        }
        if let Some(seat) = self.sender.seat() {
            let counters = seat.handle().counters();
            counters.count(DropReason::Unsampled, TelemetryType::Trace, unsampled);
        }
        let mapper = self.sender.mapper().clone();
        self.sender.export(mapper, items).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.sender.shutdown(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.sender.set_resource(resource);
    }
}
