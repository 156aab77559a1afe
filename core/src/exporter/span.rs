use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;

use crate::config::{Choices, Settings, environment};
use crate::error::{BuildError, BuildErrorKind};
use crate::mapping::{Mapper, MappingOptions};
use crate::pipeline::{Item, Launch, QueueLimits};
use crate::transmission::{Transmitter, Transport};

/// How long a flush waits; that of the SDK's own processors.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends spans to Azure Monitor, for a tracer provider that is put together by hand.
///
/// [`Telemetry`](crate::Telemetry) does more with less: its queue is larger, it uploads several batches
/// at once, and gives children the name of their request. This exporter is for programs that must keep
/// their own provider and processors. It works under any processor of the SDK, on any thread, in any runtime
/// or none, since its own worker thread does the sending.
///
/// An export waits for the answer of the service. Spans that could not be delivered for now are held in
/// memory and sent again, though the export answers with an error; spans that are not sampled are left
/// out.
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
pub struct SpanExporter {
    instrumentation_key: String,
    options: MappingOptions,
    mapper: Arc<Mapper>,
    transmitter: Transmitter,
}

/// Settings of a [`SpanExporter`]: code beats environment beats default.
pub struct SpanExporterBuilder {
    choices: Choices,
    mapping: MappingOptions,
    environment: Box<dyn Fn(&str) -> Option<String> + Send + Sync>,
    transport: Option<Arc<dyn Transport>>,
}

impl SpanExporter {
    /// Starts to configure an exporter.
    #[must_use]
    pub fn builder() -> SpanExporterBuilder {
        SpanExporterBuilder {
            choices: Choices::default(),
            mapping: MappingOptions::default(),
            environment: Box::new(environment::of_process),
            transport: None,
        }
    }
}

impl SpanExporterBuilder {
    /// Sets the connection string. Defaults to the variable `APPLICATIONINSIGHTS_CONNECTION_STRING`.
    #[must_use]
    pub fn connection_string(mut self, connection_string: impl Into<String>) -> Self {
        self.choices.connection_string = Some(connection_string.into());
        self
    }

    /// Sets how spans become requests and dependencies.
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
    pub fn build(self) -> Result<SpanExporter, BuildError> {
        let settings = Settings::resolve(self.choices, &self.environment)
            .map_err(BuildErrorKind::ConnectionString)?;
        let connection = settings
            .connection_string
            .ok_or(BuildErrorKind::NoConnectionString)?;
        let instrumentation_key = connection.instrumentation_key().to_owned();
        let mapper = Mapper::new(
            &instrumentation_key,
            &settings.resource,
            self.mapping.clone(),
        );
        let mapper = Arc::new(mapper);
        let launch = Launch {
            connection: &connection,
            transport: self.transport,
            max_export_delay: settings.max_export_delay,
            // The SDK's processors queue; what they hand over is sent at once.
            limits: QueueLimits {
                items: 0,
                bytes: 0,
                batch: 0,
            },
            mapper: mapper.clone(),
        };
        let (_, transmitter) = launch.start()?;
        Ok(SpanExporter {
            instrumentation_key,
            options: self.mapping,
            mapper,
            transmitter,
        })
    }
}

impl opentelemetry_sdk::trace::SpanExporter for SpanExporter {
    // The SDK's batch processor also hands over spans that are recorded but not sampled.
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sampled = batch
            .into_iter()
            .filter(|span| span.span_context.is_sampled());
        let items = sampled.map(Item::Span).collect();
        let delivery = self.transmitter.export(self.mapper.clone(), items);
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

    fn set_resource(&mut self, resource: &Resource) {
        let mapper = Mapper::new(&self.instrumentation_key, resource, self.options.clone());
        self.mapper = Arc::new(mapper);
    }
}

impl fmt::Debug for SpanExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanExporter")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SpanExporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanExporterBuilder")
            .field("mapping", &self.mapping)
            .finish_non_exhaustive()
    }
}
