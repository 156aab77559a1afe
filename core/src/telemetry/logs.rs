use std::sync::Arc;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{LoggerProviderBuilder, SdkLoggerProvider};

use crate::pipeline::{Intake, LogProcessor, UnsampledLogs};

/// What the builder gathers about logs.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) provider: LoggerProviderBuilder,
    pub(super) unsampled: UnsampledLogs,
}

impl Logs {
    /// Lets log records come to a worker.
    pub(super) fn connect(self, intake: Arc<Intake>) -> Self {
        let processor = LogProcessor::new(intake, self.unsampled);
        Self {
            provider: self.provider.with_log_processor(processor),
            ..self
        }
    }

    pub(super) fn build(self, resource: Resource) -> SdkLoggerProvider {
        self.provider.with_resource(resource).build()
    }
}
