//! The builder of [`Telemetry`], with its setters by subject.

mod console;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod sampling;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::propagation::TextMapCompositePropagator;
use opentelemetry::{KeyValue, Value, global};
use opentelemetry_sdk::logs::{LogProcessor, SdkLoggerProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::BaggagePropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanProcessor, TracerProviderBuilder};

use crate::config::{Choices, Lookup, Settings, builder_setters, environment, mapping_setters};
use crate::envelope::Envelope;
use crate::error::{BuildError, BuildErrorKind};
use crate::instrument::direct::{self, StartSpan};
use crate::instrument::propagation::TraceContextPropagator;
use crate::mapping::{Mapper, MappingOptions};
use crate::pipeline::{Tail, UnsampledLogs, WorkerBuilder};
use crate::storage::Storage;
use crate::telemetry::Telemetry;
use crate::telemetry::assembly::{self, Decisions, Meters, Others, Parts};
use crate::telemetry::global::{logger_of, set_logger};
use crate::telemetry::logs::Logs;
use crate::telemetry::otlp_exporters;
use crate::telemetry::panic_hook::Reporter;
use crate::telemetry_processor::{ItemDecision, TelemetryProcessors};
use crate::token::TokenProvider;
use crate::tracer::DirectTracer;
#[cfg(feature = "tracing")]
use crate::tracing_layer::SpanFields;
use crate::transmission::{Console, LiveWork, Transport};

/// Settings of [`Telemetry`]. Code takes precedence over the environment, and the environment over the default.
///
/// [`config::environment`](crate::config::environment) lists the variables.
pub struct TelemetryBuilder {
    choices: Choices,
    mapping: MappingOptions,
    processors: TelemetryProcessors,
    provider: TracerProviderBuilder,
    meters: Meters,
    logs: Logs,
    console: Option<Console>,
    others: Others,
    environment: Lookup,
    transport: Option<Arc<dyn Transport>>,
    install_globally: bool,
    panic_hook: Option<bool>,
    optional: bool,
    #[cfg(feature = "tracing")]
    span_fields: SpanFields,
}

impl Default for TelemetryBuilder {
    fn default() -> Self {
        Self {
            choices: Choices::default(),
            mapping: MappingOptions::default(),
            processors: TelemetryProcessors::default(),
            provider: SdkTracerProvider::builder(),
            meters: Meters::default(),
            logs: Logs::default(),
            console: None,
            others: Others::default(),
            environment: Box::new(environment::of_process),
            transport: None,
            install_globally: true,
            panic_hook: None,
            optional: false,
            #[cfg(feature = "tracing")]
            span_fields: SpanFields::none(),
        }
    }
}

impl Telemetry {
    /// Starts to configure telemetry.
    #[must_use]
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder::default()
    }
}

impl TelemetryBuilder {
    builder_setters!();
    mapping_setters!();

    /// Sets the name of the service: the role in Azure Monitor, one node of the application map.
    ///
    /// Defaults to `OTEL_SERVICE_NAME`, then to `unknown_service:` and the program's name.
    #[must_use]
    pub fn service_name(self, name: impl Into<Value>) -> Self {
        self.resource_attribute(KeyValue::new("service.name", name))
    }

    /// Sets the version of the service, which Azure Monitor shows as application version.
    #[must_use]
    pub fn service_version(self, version: impl Into<Value>) -> Self {
        self.resource_attribute(KeyValue::new("service.version", version))
    }

    /// Adds an attribute of the resource. It overrides an attribute of the same name in the environment.
    #[must_use]
    pub fn resource_attribute(mut self, attribute: KeyValue) -> Self {
        self.choices.resource.push(attribute);
        self
    }

    /// Sets the maximum time that a span or a log record waits for its batch to fill.
    ///
    /// Defaults to `OTEL_BSP_SCHEDULE_DELAY`, then to 1 s. A full batch is sent at once.
    #[must_use]
    pub fn max_export_delay(mut self, delay: Duration) -> Self {
        self.choices.max_export_delay = Some(delay);
        self
    }

    /// Sets the maximum number of waiting spans and log records. Defaults to `OTEL_BSP_MAX_QUEUE_SIZE`, then to 65,536.
    ///
    /// Further ones are dropped and counted.
    #[must_use]
    pub fn max_queue_items(mut self, items: usize) -> Self {
        self.choices.max_queue_items = Some(items);
        self
    }

    /// Sets the maximum size of the waiting spans and log records, in bytes, as azmon estimates it. Defaults to
    /// `AZMON_MAX_QUEUE_BYTES`, then to 64 MiB.
    ///
    /// Further ones are dropped and counted.
    #[must_use]
    pub fn max_queue_bytes(mut self, bytes: usize) -> Self {
        self.choices.max_queue_bytes = Some(bytes);
        self
    }

    /// Adds a processor that receives every span before azmon does, such as the processor of a second exporter.
    #[must_use]
    pub fn span_processor(mut self, processor: impl SpanProcessor + 'static) -> Self {
        self.provider = self.provider.with_span_processor(processor);
        self.others.has_span_processors = true;
        self.others.has_exporters = true;
        self
    }

    /// Adds a processor that receives, and may change, every log record before azmon does, such as the processor of a
    /// second exporter. If it panics while it processes the record of a panic, the process aborts.
    #[must_use]
    pub fn log_processor(mut self, processor: impl LogProcessor + 'static) -> Self {
        self.logs.provider = self.logs.provider.with_log_processor(processor);
        self.others.has_exporters = true;
        self
    }

    /// Sets the treatment of log records in unsampled spans. Defaults to [`UnsampledLogs::KeepErrors`].
    #[must_use]
    pub fn unsampled_logs(mut self, logs: UnsampledLogs) -> Self {
        self.logs.unsampled = logs;
        self
    }

    /// Sets whether panics become exceptions. Defaults to the value of [`install_globally`](Self::install_globally),
    /// because the panic hook belongs to the process.
    ///
    /// The exception has the message, the location, and the name of the thread. It belongs to the current request. It
    /// has the stack, as frames, if `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE` enables it, as for
    /// [`Backtrace::capture`](std::backtrace::Backtrace::capture). The previous hook is called afterwards; a hook that
    /// is set later should call the one that it replaces.
    ///
    /// A panic that ends the process has the severity `Critical`, and delays the process by at most 2 s until all
    /// telemetry is sent. The hook recognises such a panic
    ///
    /// - if the program is built with `panic = "abort"`;
    /// - on the main thread, outside a task of Tokio, which would catch it;
    /// - if the standard library aborts because it cannot unwind: out of a destructor during another panic, or out of
    ///   an `extern "C"` function.
    ///
    /// It does not observe [`abort`](std::process::abort) and [`exit`](std::process::exit), nor another hook that ends
    /// the process.
    #[must_use]
    pub fn panic_hook(mut self, report: bool) -> Self {
        self.panic_hook = Some(report);
        self
    }

    /// Sets which fields of the enclosing `tracing` spans become properties of a log record. Defaults to none.
    #[cfg(feature = "tracing")]
    #[must_use]
    pub fn log_span_fields(mut self, fields: SpanFields) -> Self {
        self.span_fields = fields;
        self
    }

    /// Sets whether all telemetry is written to disk before it is sent: see [`Storage::durable`]. Defaults to
    /// `AZMON_DURABLE`, then to `false`.
    #[must_use]
    pub fn durable(mut self, durable: bool) -> Self {
        self.choices.durable = Some(durable);
        self
    }

    /// Sets the HTTP client that sends telemetry, for a proxy or certificates beyond the defaults.
    ///
    /// The default client honours `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. The client must not follow
    /// redirects, because azmon does. azmon uses it on its own thread.
    #[must_use]
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.choices.http_client = Some(client);
        self
    }

    /// Sets a PEM file of certificates to trust in addition to those of the system. Defaults to `AZMON_CA_FILE`.
    #[must_use]
    pub fn certificates(mut self, file: impl Into<PathBuf>) -> Self {
        self.choices.certificates = Some(file.into());
        self
    }

    /// Sets whether Live Metrics are sent while their page is open in the portal. Defaults to
    /// `AZMON_LIVE_METRICS`, then to `true`.
    ///
    /// Live Metrics go to the `LiveEndpoint` of the connection string. Without one they are off if the connection string
    /// has an `IngestionEndpoint`. Every span and every exception counts, sampled or not; samples show the result of
    /// telemetry processors. While the page is closed, azmon sends a ping every 5 s and collects nothing. While it is
    /// open, azmon encodes items at least five times a second.
    #[must_use]
    pub fn live_metrics(mut self, enabled: bool) -> Self {
        self.choices.live_metrics = Some(enabled);
        self
    }

    /// Disables telemetry if the connection string is missing, instead of an error of [`build`](Self::build): it
    /// records and sends nothing, but still propagates context. With another destination, such as OTLP, the console, or
    /// your own processor or reader, a missing connection string is never an error.
    #[must_use]
    pub fn disabled_without_connection_string(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Sets whether the tracer provider, the meter provider and the propagator become OpenTelemetry's global ones, and
    /// whether [`event`](crate::event), [`availability`](crate::availability) and [`exception`](crate::exception) use
    /// this telemetry. Defaults to `true`.
    #[must_use]
    pub fn install_globally(mut self, install: bool) -> Self {
        self.install_globally = install;
        self
    }

    /// Starts the worker thread, and installs the tracer provider, the meter provider and the propagator.
    ///
    /// It needs no async runtime, and neither blocks nor connects: an unreachable endpoint is noticed at the first
    /// upload.
    ///
    /// # Errors
    ///
    /// Fails if the connection string and every other destination are missing, if the connection string or the address
    /// of another destination is invalid, or if the worker thread, its event loop or TLS cannot be initialised.
    pub fn build(mut self) -> Result<Telemetry, BuildError> {
        let choices = std::mem::take(&mut self.choices);
        let settings = Settings::resolve(choices, &self.environment)?;
        let install_globally = self.install_globally;
        let panic_hook = self.panic_hook.unwrap_or(install_globally);
        #[cfg(feature = "tracing")]
        let span_fields = std::mem::take(&mut self.span_fields);
        let has_destination = settings.connection_string.is_some()
            || settings.otlp.is_some()
            || self.console.is_some();
        let mut telemetry = if settings.disabled {
            disabled(self.provider)
        } else if has_destination || self.optional && self.others.has_exporters {
            self.assemble(settings)?
        } else if self.optional {
            disabled(self.provider)
        } else {
            return Err(BuildErrorKind::NoConnectionString.into());
        };
        #[cfg(feature = "tracing")]
        {
            telemetry.span_fields = span_fields;
        }
        if install_globally {
            install(&telemetry);
        }
        if panic_hook {
            let handle = telemetry.handle.clone();
            telemetry.panics =
                handle.map(|handle| Reporter::install(&telemetry.logger_provider, handle));
        }
        Ok(telemetry)
    }

    fn assemble(self, mut settings: Settings) -> Result<Telemetry, BuildErrorKind> {
        let sampling = settings.sampling;
        let mut parts = Parts {
            tracers: self
                .provider
                .with_sampler(sampling.sampler)
                .with_span_limits(settings.span_limits),
            meters: self.meters,
            logs: self.logs,
            others: self.others,
            last_collection: None,
            handle: None,
            intake: None,
            direct_provider: None,
        };
        if let Some(endpoints) = &settings.otlp {
            parts.others.has_exporters = true;
            parts.others.has_span_processors |= endpoints.traces.is_some();
        }
        let target = match settings.connection_string.take() {
            Some(connection) => Some((connection, self.transport)),
            None if self.console.is_some() => Some(assembly::nowhere()?),
            None => None,
        };
        if let Some((connection, transport)) = target {
            // Telemetry that stays in memory, or goes to the console alone, has no live endpoint.
            let sends = transport.is_none();
            let namespaces = settings.metric_namespaces;
            let mapping = self.mapping.or_metric_namespaces(namespaces);
            let key = connection.instrumentation_key();
            let mapper = Mapper::new(key, &settings.resource, mapping.clone());
            let launch = WorkerBuilder {
                connection: &connection,
                transport,
                network: settings.network,
                storage: settings.storage,
                max_export_delay: settings.max_export_delay,
                limits: settings.queue_limits,
                mapper: Arc::new(mapper.with_standard_metrics(settings.metrics.standard_metrics)),
                processors: self.processors,
            };
            let tail = |(rules, limits)| Tail::new(rules, limits, mapping);
            let decisions = Decisions {
                sampler: sampling.head,
                span_limits: settings.span_limits,
                tail: sampling.keep.map(tail),
            };
            let live = settings.live.filter(|_| sends);
            let live = live.map(|live| LiveWork::new(live.is_watched, live.is_web_app));
            parts = parts.with_worker(launch, decisions, &settings.metrics, self.console, live)?;
        }
        // After azmon's own exporters, which never wait for the network.
        if let Some(endpoints) = &settings.otlp {
            parts = otlp_exporters::add(parts, endpoints, settings.metrics.interval)?;
        }
        Ok(parts.build(settings.resource))
    }
}

fn disabled(provider: TracerProviderBuilder) -> Telemetry {
    let logger_provider = SdkLoggerProvider::builder().build();
    Telemetry {
        provider: provider.with_sampler(Sampler::AlwaysOff).build(),
        meters: SdkMeterProvider::builder().build(),
        logger: logger_of(&logger_provider),
        logger_provider,
        handle: None,
        intake: None,
        direct_provider: None,
        has_other_exporters: false,
        last_collection: None,
        panics: None,
        built: Instant::now(),
        #[cfg(feature = "tracing")]
        span_fields: SpanFields::none(),
    }
}

/// Without telemetry, OpenTelemetry's own no-op providers stay in place: they cost instrumented code least.
fn install(telemetry: &Telemetry) {
    if telemetry.is_enabled() {
        global::set_tracer_provider(telemetry.provider.clone());
        global::set_meter_provider(telemetry.meters.clone());
        set_logger(telemetry.logger.clone());
        direct::set_tracer(telemetry.direct_provider.clone().map(|direct_provider| {
            let tracer: Arc<dyn StartSpan> = Arc::new(DirectTracer::new(direct_provider));
            tracer
        }));
        azmon_instrument::providers_replaced();
    }
    global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ]));
}

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryBuilder")
            .field("mapping", &self.mapping)
            .field("install_globally", &self.install_globally)
            .field("disabled_without_connection_string", &self.optional)
            .finish_non_exhaustive()
    }
}
