use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::propagation::TextMapCompositePropagator;
use opentelemetry::{KeyValue, Value, global};
use opentelemetry_sdk::logs::{LogProcessor, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{MeterProviderBuilder, SdkMeterProvider};
use opentelemetry_sdk::propagation::BaggagePropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanProcessor, TracerProviderBuilder};

use crate::config::{Choices, Settings, environment};
use crate::error::{BuildError, BuildErrorKind};
use crate::instrument::direct::{self, StartSpan};
use crate::instrument::propagation::TraceContextPropagator;
use crate::mapping::{Mapper, MappingOptions};
use crate::pipeline::{Launch, Tail, UnsampledLogs};
use crate::recorder::RecorderTracer;
use crate::telemetry::assembly::{self, Decisions, Parts};
use crate::telemetry::global::set_logger_provider;
use crate::telemetry::logs::Logs;
use crate::telemetry::{Telemetry, otlp};
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{Console, Transport};

type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Settings of [`Telemetry`]: code beats environment beats default.
///
/// The variables are listed in [`config::environment`](crate::config::environment).
pub struct TelemetryBuilder {
    pub(super) choices: Choices,
    mapping: MappingOptions,
    pub(super) processors: TelemetryProcessors,
    provider: TracerProviderBuilder,
    pub(super) meters: MeterProviderBuilder,
    logs: Logs,
    pub(super) console: Option<Console>,
    pub(super) has_others: bool,
    environment: Lookup,
    transport: Option<Arc<dyn Transport>>,
    install_globally: bool,
    panic_hook: Option<bool>,
    optional: bool,
}

impl Default for TelemetryBuilder {
    fn default() -> Self {
        Self {
            choices: Choices::default(),
            mapping: MappingOptions::default(),
            processors: TelemetryProcessors::default(),
            provider: SdkTracerProvider::builder(),
            meters: SdkMeterProvider::builder(),
            logs: Logs::default(),
            console: None,
            has_others: false,
            environment: Box::new(environment::of_process),
            transport: None,
            install_globally: true,
            panic_hook: None,
            optional: false,
        }
    }
}

impl TelemetryBuilder {
    /// Sets the connection string of the Application Insights resource, or of a local portal.
    ///
    /// Defaults to the variable `APPLICATIONINSIGHTS_CONNECTION_STRING`. It is parsed by
    /// [`build`](Self::build).
    #[must_use]
    pub fn connection_string(mut self, connection_string: impl Into<String>) -> Self {
        self.choices.connection_string = Some(connection_string.into());
        self
    }

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

    /// Adds an attribute of the resource. Attributes of the same name in the environment lose.
    #[must_use]
    pub fn resource_attribute(mut self, attribute: KeyValue) -> Self {
        self.choices.resource.push(attribute);
        self
    }

    /// Sets how OpenTelemetry's data becomes Application Insights'.
    #[must_use]
    pub fn mapping(mut self, options: MappingOptions) -> Self {
        self.mapping = options;
        self
    }

    /// Sets the longest time that a span or a log record waits for others to be sent with.
    ///
    /// Defaults to `OTEL_BSP_SCHEDULE_DELAY`, then to 1 s. A batch that is full goes at once.
    #[must_use]
    pub fn max_export_delay(mut self, delay: Duration) -> Self {
        self.choices.max_export_delay = Some(delay);
        self
    }

    /// Sets how many spans and log records may wait. Defaults to `OTEL_BSP_MAX_QUEUE_SIZE`, then to 65,536.
    ///
    /// More are dropped, the newest first, and counted.
    #[must_use]
    pub fn max_queue_items(mut self, items: usize) -> Self {
        self.choices.max_queue_items = Some(items);
        self
    }

    /// Sets how many bytes the spans and log records that wait may take, as azmon estimates them. Defaults to
    /// `AZMON_MAX_QUEUE_BYTES`, then to 64 MiB.
    ///
    /// More are dropped, the newest first, and counted.
    #[must_use]
    pub fn max_queue_bytes(mut self, bytes: usize) -> Self {
        self.choices.max_queue_bytes = Some(bytes);
        self
    }

    /// Adds a processor that sees every span before azmon does, such as that of a second exporter.
    #[must_use]
    pub fn span_processor(mut self, processor: impl SpanProcessor + 'static) -> Self {
        self.provider = self.provider.with_span_processor(processor);
        self.has_others = true;
        self
    }

    /// Adds a processor that sees, and may change, every log record before azmon does, such as that of a
    /// second exporter. One that panics while it sees a panic's record ends the process.
    #[must_use]
    pub fn log_processor(mut self, processor: impl LogProcessor + 'static) -> Self {
        self.logs.provider = self.logs.provider.with_log_processor(processor);
        self
    }

    /// Sets what becomes of log records in spans that are not sampled. Defaults to
    /// [`UnsampledLogs::KeepErrors`].
    #[must_use]
    pub fn unsampled_logs(mut self, logs: UnsampledLogs) -> Self {
        self.logs.unsampled = logs;
        self
    }

    /// Sets whether panics become exceptions. Defaults to what
    /// [`install_globally`](Self::install_globally) says, since the hook is the process's.
    ///
    /// The exception has the message, the place, and the name of the thread; it belongs to the request
    /// that is being handled. It has the stack, by frames, if `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE`
    /// asks for it, as [`Backtrace::capture`](std::backtrace::Backtrace::capture) does. The hook that was
    /// set before is called afterwards; one that is set later should call the one that it replaces.
    ///
    /// A panic that ends the process is of severity `Critical`, and holds the process for at most 2 s
    /// until everything is sent. It is known to end it
    ///
    /// - where the program is built with `panic = "abort"`;
    /// - on the main thread, outside a task of Tokio, which would catch it;
    /// - where the standard library aborts since it cannot unwind: out of a destructor during another
    ///   panic, or out of an `extern "C"` function.
    ///
    /// Nothing is known of [`abort`](std::process::abort) and [`exit`](std::process::exit), nor of a hook
    /// that ends the process.
    #[must_use]
    pub fn panic_hook(mut self, report: bool) -> Self {
        self.panic_hook = Some(report);
        self
    }

    /// Makes a missing connection string no error: [`build`](Self::build) then gives telemetry that
    /// records and sends nothing, but still propagates context. With another destination, OTLP or the
    /// console, it is none anyway.
    #[must_use]
    pub fn disabled_without_connection_string(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Sets whether the tracer provider, the meter provider and the propagator become OpenTelemetry's
    /// global ones, and whether [`event`](crate::event) and its like come here. Defaults to `true`.
    #[must_use]
    pub fn install_globally(mut self, install: bool) -> Self {
        self.install_globally = install;
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

    /// Starts the worker thread, and installs the tracer provider, the meter provider and the propagator.
    ///
    /// It needs no runtime, and neither blocks nor connects: an endpoint that is out of reach shows when
    /// something is sent.
    ///
    /// # Errors
    ///
    /// When there is no connection string and no other destination, when the connection string or the
    /// address of the other destination cannot be read, or when the system gives no thread, no event
    /// queue or no TLS.
    pub fn build(mut self) -> Result<Telemetry, BuildError> {
        let choices = std::mem::take(&mut self.choices);
        let settings = Settings::resolve(choices, &self.environment)
            .map_err(BuildErrorKind::ConnectionString)?;
        let install_globally = self.install_globally;
        let panic_hook = self.panic_hook.unwrap_or(install_globally);
        let has_destination = settings.connection_string.is_some()
            || settings.otlp.is_some()
            || self.console.is_some();
        let mut telemetry = match has_destination {
            _ if settings.disabled => disabled(self.provider),
            true => self.assemble(settings)?,
            false if self.optional => disabled(self.provider),
            false => return Err(BuildErrorKind::NoConnectionString.into()),
        };
        if install_globally {
            install(&telemetry);
        }
        if panic_hook {
            telemetry.report_panics();
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
            has_others: self.has_others,
            transmitter: None,
            intake: None,
            recorder: None,
        };
        if let Some(endpoints) = &settings.otlp {
            parts = otlp::add(parts, endpoints, settings.metrics.interval)?;
        }
        let target = match settings.connection_string.take() {
            Some(connection) => Some((connection, self.transport)),
            None if self.console.is_some() => Some(assembly::nowhere()?),
            None => None,
        };
        if let Some((connection, transport)) = target {
            let namespaces = settings.metric_namespaces;
            let mapping = self.mapping.or_metric_namespaces(namespaces);
            let key = connection.instrumentation_key();
            let mapper = Mapper::new(key, &settings.resource, mapping.clone());
            let launch = Launch {
                connection: &connection,
                transport,
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
            parts = parts.with_worker(launch, decisions, &settings.metrics, self.console)?;
        }
        Ok(parts.build(settings.resource))
    }
}

fn disabled(provider: TracerProviderBuilder) -> Telemetry {
    Telemetry {
        provider: provider.with_sampler(Sampler::AlwaysOff).build(),
        meters: SdkMeterProvider::builder().build(),
        logger_provider: SdkLoggerProvider::builder().build(),
        transmitter: None,
        intake: None,
        recorder: None,
        has_others: false,
        panics: None,
    }
}

/// Without telemetry OpenTelemetry's own "no provider" stays in place: it costs instrumented code least.
fn install(telemetry: &Telemetry) {
    if telemetry.is_enabled() {
        global::set_tracer_provider(telemetry.provider.clone());
        global::set_meter_provider(telemetry.meters.clone());
        set_logger_provider(telemetry.logger_provider.clone());
        direct::set_tracer(telemetry.recorder.clone().map(|recorder| {
            let tracer: Arc<dyn StartSpan> = Arc::new(RecorderTracer::new(recorder));
            tracer
        }));
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
