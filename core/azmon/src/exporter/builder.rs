//! Settings of the plain exporters.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::config::{Choices, Lookup, Settings, builder_setters, environment, mapping_setters};
use crate::envelope::Envelope;
use crate::error::{BuildError, BuildErrorKind};
use crate::exporter::sender::Sender;
use crate::exporter::shared::Seat;
use crate::item::QueueLimits;
use crate::mapping::{Mapper, MappingOptions};
use crate::pipeline::{UnsampledLogs, WorkerBuilder};
use crate::storage::Storage;
use crate::telemetry_processor::{ItemDecision, TelemetryProcessors};
use crate::token::TokenProvider;
use crate::transmission::Transport;

/// Settings of a plain exporter. Code takes precedence over the environment, and the environment over the default.
pub struct ExporterBuilder<E> {
    choices: Choices,
    mapping: MappingOptions,
    pub(super) unsampled_logs: UnsampledLogs,
    processors: TelemetryProcessors,
    environment: Lookup,
    transport: Option<Arc<dyn Transport>>,
    exporter: PhantomData<fn() -> E>,
}

impl<E> ExporterBuilder<E> {
    pub(super) fn new() -> Self {
        Self {
            choices: Choices::default(),
            mapping: MappingOptions::default(),
            unsampled_logs: UnsampledLogs::default(),
            processors: TelemetryProcessors::default(),
            environment: Box::new(environment::of_process),
            transport: None,
            exporter: PhantomData,
        }
    }

    builder_setters!();
    mapping_setters!();

    /// Joins a worker, which receives the exported items.
    pub(super) fn start(self) -> Result<Sender, BuildError> {
        let is_own = self.choices.token_provider.is_some();
        let settings = Settings::resolve(self.choices, &self.environment)?;
        let connection = settings
            .connection_string
            .ok_or(BuildErrorKind::NoConnectionString)?;
        let key = connection.instrumentation_key().to_owned();
        let mapping = self
            .mapping
            .or_metric_namespaces(settings.metric_namespaces);
        let mapper = Arc::new(Mapper::new(&key, &settings.resource, mapping.clone()));
        if settings.disabled {
            return Ok(Sender::new(key, mapping, mapper, None));
        }
        // Two token providers cannot be compared.
        let own = is_own.then_some(Arc::as_ptr(&mapper));
        let shared_by = format!(
            "{} {key} {:?} {own:?}",
            connection.ingestion_endpoint(),
            settings.storage,
        );
        let builder = WorkerBuilder {
            connection: &connection,
            transport: self.transport,
            network: settings.network,
            storage: settings.storage,
            max_export_delay: settings.max_export_delay,
            // The SDK's processors already queue: exported items are sent at once.
            limits: QueueLimits {
                items: 0,
                bytes: 0,
                batch: 0,
            },
            mapper: mapper.clone(),
            processors: self.processors,
        };
        let seat = Seat::take(shared_by, builder)?;
        Ok(Sender::new(key, mapping, mapper, Some(seat)))
    }
}

impl<E> fmt::Debug for ExporterBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExporterBuilder")
            .field("mapping", &self.mapping)
            .finish_non_exhaustive()
    }
}
