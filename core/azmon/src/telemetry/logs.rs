use std::sync::Arc;

use opentelemetry_sdk::Resource;
#[cfg(feature = "otlp")]
use opentelemetry_sdk::logs::LogExporter;
use opentelemetry_sdk::logs::{LoggerProviderBuilder, SdkLoggerProvider};

use crate::pipeline::{Intake, LogProcessor, UnsampledLogs};

/// The log settings of the builder.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) provider: LoggerProviderBuilder,
    pub(super) unsampled: UnsampledLogs,
}

impl Logs {
    /// Connects log records to a worker.
    pub(super) fn connect(self, intake: Arc<Intake>) -> Self {
        let processor = LogProcessor::new(intake, self.unsampled);
        Self {
            provider: self.provider.with_log_processor(processor),
            ..self
        }
    }

    /// Connects log records to another exporter as well.
    #[cfg(feature = "otlp")]
    pub(super) fn with_exporter(self, exporter: impl LogExporter + 'static) -> Self {
        Self {
            provider: self.provider.with_batch_exporter(exporter),
            ..self
        }
    }

    pub(super) fn build(self, resource: Resource) -> SdkLoggerProvider {
        self.provider.with_resource(resource).build()
    }
}
