use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;

use crate::config::{Choices, Settings, environment};
use crate::error::{BuildError, BuildErrorKind};
use crate::item::Item;
use crate::item::QueueLimits;
use crate::mapping::{Mapper, MappingOptions};
use crate::pipeline::Launch;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{Exported, Transmitter, Transport};

/// How long a flush waits; that of the SDK's own processors.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends metrics to Azure Monitor, for a meter provider that is put together by hand.
///
/// [`Telemetry`](crate::Telemetry) does more with less: it adds the standard metrics, the performance
/// counters, and one worker for all signals. This exporter is for programs that must keep their own
/// provider. It works under any reader of the SDK, on any thread, in any runtime or none.
///
/// Every data point becomes an item of `customMetrics`; see
/// [`Mapper::map_metrics`](crate::mapping::Mapper::map_metrics). Counters and histograms are sent as
/// what was added since the last export (delta), up-down counters as their value (cumulative). An export
/// waits for the answer of the service; what could not be delivered for now is held in memory and sent
/// again, though the export answers with an error.
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
    instrumentation_key: String,
    options: MappingOptions,
    /// The mapper of the resource that was exported last: there is one, in practice.
    mapper: Mutex<Option<(Resource, Arc<Mapper>)>>,
    transmitter: Transmitter,
}

/// Settings of a [`MetricExporter`]: code beats environment beats default.
pub struct MetricExporterBuilder {
    choices: Choices,
    mapping: MappingOptions,
    environment: Box<dyn Fn(&str) -> Option<String> + Send + Sync>,
    transport: Option<Arc<dyn Transport>>,
}

impl MetricExporter {
    /// Starts to configure an exporter.
    #[must_use]
    pub fn builder() -> MetricExporterBuilder {
        MetricExporterBuilder {
            choices: Choices::default(),
            mapping: MappingOptions::default(),
            environment: Box::new(environment::of_process),
            transport: None,
        }
    }

    fn mapper(&self, resource: &Resource) -> Arc<Mapper> {
        let mut cached = self.mapper.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some((known, mapper)) if known == resource => mapper.clone(),
            _ => {
                let mapper = Mapper::new(&self.instrumentation_key, resource, self.options.clone());
                let mapper = Arc::new(mapper);
                *cached = Some((resource.clone(), mapper.clone()));
                mapper
            }
        }
    }
}

impl MetricExporterBuilder {
    /// Sets the connection string. Defaults to the variable `APPLICATIONINSIGHTS_CONNECTION_STRING`.
    #[must_use]
    pub fn connection_string(mut self, connection_string: impl Into<String>) -> Self {
        self.choices.connection_string = Some(connection_string.into());
        self
    }

    /// Sets how instruments become metrics, and what the role is called.
    #[must_use]
    pub fn mapping(mut self, options: MappingOptions) -> Self {
        self.mapping = options;
        self
    }

    /// Sets where environment variables are looked up. Defaults to the process's environment.
    #[must_use]
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Box::new(lookup);
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Starts the worker thread.
    ///
    /// # Errors
    ///
    /// When there is no connection string or it cannot be read, or when the system gives no thread, no
    /// event queue or no TLS.
    pub fn build(self) -> Result<MetricExporter, BuildError> {
        let settings = Settings::resolve(self.choices, &self.environment)
            .map_err(BuildErrorKind::ConnectionString)?;
        let connection = settings
            .connection_string
            .ok_or(BuildErrorKind::NoConnectionString)?;
        let options = self
            .mapping
            .or_metric_namespaces(settings.metric_namespaces);
        let instrumentation_key = connection.instrumentation_key().to_owned();
        let mapper = Mapper::new(&instrumentation_key, &settings.resource, options.clone());
        let launch = Launch {
            connection: &connection,
            transport: self.transport,
            max_export_delay: settings.max_export_delay,
            // The SDK's reader collects; what it hands over is sent at once.
            limits: QueueLimits {
                items: 0,
                bytes: 0,
                batch: 0,
            },
            mapper: Arc::new(mapper),
            processors: TelemetryProcessors::default(),
        };
        let (_, transmitter) = launch.start()?;
        Ok(MetricExporter {
            instrumentation_key,
            options,
            mapper: Mutex::new(None),
            transmitter,
        })
    }
}

impl PushMetricExporter for MetricExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mapper = self.mapper(metrics.resource());
        let mut items = Vec::new();
        mapper.map_metrics(metrics, |envelope| items.push(Item::from(envelope)));
        let delivery = self.transmitter.export(mapper, Exported::Items(items));
        delivery.await.map_err(OTelSdkError::from)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.transmitter
            .flush(FLUSH_TIMEOUT)
            .map_err(OTelSdkError::from)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.transmitter
            .shutdown(timeout)
            .map_err(OTelSdkError::from)
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

impl fmt::Debug for MetricExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricExporter")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MetricExporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricExporterBuilder")
            .field("mapping", &self.mapping)
            .finish_non_exhaustive()
    }
}
