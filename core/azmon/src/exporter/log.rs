use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::LogBatch;

use crate::error::BuildError;
use crate::exporter::ExporterBuilder;
use crate::exporter::sender::Sender;
use crate::item::{DropReason, DroppedItems, Item, TelemetryType};
use crate::pipeline::UnsampledLogs;

/// Sends log records to Azure Monitor, for a logger provider that the application assembles itself.
///
/// [`Telemetry`](crate::Telemetry) does more with less code, as with [`SpanExporter`](crate::SpanExporter): it reads
/// the operation name and the sample rate of a record from the context, which an exporter does not see.
/// [`mapping`](crate::mapping) documents the resulting items.
///
/// An export completes once the service has accepted the records or they are on disk. If they are only in memory, the
/// export fails, and azmon still sends them again.
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

    /// The items dropped since the start, by reason; empty if none were dropped.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.sender.dropped_items()
    }
}

impl LogExporterBuilder {
    /// Sets the treatment of records in unsampled spans. Defaults to [`UnsampledLogs::KeepErrors`].
    #[must_use]
    pub fn unsampled_logs(mut self, logs: UnsampledLogs) -> Self {
        self.unsampled_logs = logs;
        self
    }

    /// Starts the worker thread, or joins the worker of another exporter.
    ///
    /// # Errors
    ///
    /// Fails if the connection string is missing or invalid, or if the worker thread, its event loop or TLS cannot be
    /// initialised.
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
