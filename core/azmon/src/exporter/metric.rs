use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;

use crate::error::BuildError;
use crate::exporter::ExporterBuilder;
use crate::exporter::sender::Sender;
use crate::item::{DroppedItems, Item};
use crate::mapping::Mapper;
use crate::pipeline::is_about_the_sdk;

/// Sends metrics to Azure Monitor, for a meter provider that the application assembles itself.
///
/// [`Telemetry`](crate::Telemetry) does more with less code: it adds the standard metrics, the performance counters,
/// and one worker for all signals. This exporter is for programs that must keep their own provider. It works with any
/// reader of the SDK, on any thread, with or without an async runtime.
///
/// Every data point becomes an item of `customMetrics`; see
/// [`Mapper::map_metrics`](crate::mapping::Mapper::map_metrics). Counters and histograms have delta temporality,
/// up-down counters cumulative temporality. An export completes once the service has accepted the metrics or they are
/// on disk. If they are only in memory, the export fails, and azmon still sends them again.
///
/// # Examples
///
/// ```no_run
/// use opentelemetry_sdk::metrics::SdkMeterProvider;
///
/// let exporter = azmon::MetricExporter::builder().build()?; // APPLICATIONINSIGHTS_CONNECTION_STRING
/// let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
/// # Ok::<(), azmon::BuildError>(())
/// ```
pub struct MetricExporter {
    sender: Sender,
    /// The mapper of the last exported resource; a program usually has one resource.
    mapper: Mutex<Option<(Resource, Arc<Mapper>)>>,
}

/// Settings of a [`MetricExporter`].
pub type MetricExporterBuilder = ExporterBuilder<MetricExporter>;

impl MetricExporter {
    /// Starts to configure an exporter.
    #[must_use]
    pub fn builder() -> MetricExporterBuilder {
        ExporterBuilder::new()
    }

    /// The items dropped since the start, by reason, of all exporters with the same endpoint; empty if none were
    /// dropped.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.sender.dropped_items()
    }

    fn mapper(&self, resource: &Resource) -> Arc<Mapper> {
        let mut cached = self.mapper.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some((known, mapper)) if known == resource => mapper.clone(),
            _ => {
                let mapper = Arc::new(self.sender.mapper_of(resource));
                *cached = Some((resource.clone(), mapper.clone()));
                mapper
            }
        }
    }
}

impl MetricExporterBuilder {
    /// Starts the worker thread, or joins the worker of another exporter.
    ///
    /// # Errors
    ///
    /// Fails if the connection string is missing or invalid, or if the worker thread, its event loop or TLS cannot be
    /// initialised.
    pub fn build(self) -> Result<MetricExporter, BuildError> {
        let sender = self.start()?;
        Ok(MetricExporter {
            sender,
            mapper: Mutex::new(None),
        })
    }
}

impl PushMetricExporter for MetricExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mapper = self.mapper(metrics.resource());
        let mut items = Vec::new();
        mapper.map_metrics(metrics, |envelope| {
            if !is_about_the_sdk(&envelope) {
                items.push(Item::from(envelope));
            }
        });
        self.sender.export(mapper, items).await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.sender.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.sender.shutdown(timeout)
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

impl fmt::Debug for MetricExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricExporter")
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}
