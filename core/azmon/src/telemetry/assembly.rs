//! The assembly of telemetry from its parts.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SpanLimits, TracerProviderBuilder};

use crate::ConnectionString;
use crate::error::BuildErrorKind;
use crate::metrics::{BuiltinMetrics, BuiltinOptions};
use crate::pipeline::{
    Intake, LastCollection, QueueMetricExporter, SpanProcessor, Tail, WorkerBuilder,
};
use crate::sampling::HeadSampler;
use crate::telemetry::Telemetry;
use crate::telemetry::global::logger_of;
use crate::telemetry::logs::Logs;
use crate::telemetry::statistics_metrics;
use crate::tracer::DirectProvider;
#[cfg(feature = "tracing")]
use crate::tracing_layer::SpanFields;
use crate::transmission::{
    Console, LiveWork, NullTransport, Transport, WorkerExtensions, WorkerHandle,
};

/// The parts of telemetry.
pub(super) struct Parts {
    pub(super) tracers: TracerProviderBuilder,
    pub(super) meters: Meters,
    pub(super) logs: Logs,
    pub(super) others: Others,
    pub(super) last_collection: Option<Arc<LastCollection>>,
    pub(super) handle: Option<WorkerHandle>,
    pub(super) intake: Option<Arc<Intake>>,
    pub(super) direct_provider: Option<Arc<DirectProvider>>,
}

/// The receivers of telemetry besides azmon.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Others {
    /// Other span processors need the SDK's spans.
    pub(super) has_span_processors: bool,
    /// Other exporters must be flushed and shut down.
    pub(super) has_exporters: bool,
}

/// The meter provider. azmon's reader must be the first, because a reader that waits for the network would delay it.
#[derive(Default)]
pub(super) struct Meters {
    pub(super) provider: MeterProviderBuilder,
    /// Whether the statistics of delivery are also metrics.
    pub(super) has_statistics: bool,
    readers: Vec<AddReader>,
}

type AddReader = Box<dyn FnOnce(MeterProviderBuilder) -> MeterProviderBuilder + Send + Sync>;

impl Meters {
    /// Adds a reader after azmon's.
    pub(super) fn add<E: PushMetricExporter>(&mut self, reader: PeriodicReader<E>) {
        self.readers
            .push(Box::new(|provider| provider.with_reader(reader)));
    }

    fn build(self, resource: Resource) -> SdkMeterProvider {
        let readers = self.readers.into_iter();
        let provider = readers.fold(self.provider, |provider, add| add(provider));
        provider.with_resource(resource).build()
    }
}

/// The parts that decide which spans are kept.
pub(super) struct Decisions {
    /// `None` with a sampler of the user.
    pub(super) sampler: Option<HeadSampler>,
    pub(super) span_limits: SpanLimits,
    /// `None` if the decision about a span is final at its start.
    pub(super) tail: Option<Tail>,
}

impl Parts {
    /// Starts the worker, and connects spans, log records and metrics to it.
    pub(super) fn with_worker(
        self,
        launch: WorkerBuilder<'_>,
        decisions: Decisions,
        options: &BuiltinOptions,
        console: Option<Console>,
        live: Option<LiveWork>,
    ) -> Result<Self, BuildErrorKind> {
        let mapper = launch.mapper.clone();
        let (metrics, span_metrics) = BuiltinMetrics::new(options, &mapper);
        let shown = live.as_ref().map(|work| work.live.clone());
        let (producer, handle) = launch.start_with(WorkerExtensions {
            metrics,
            span_metrics: span_metrics.clone(),
            console,
            live,
            streams: None,
        })?;
        let last_collection = Arc::new(LastCollection::default());
        let queue = QueueMetricExporter::new(
            mapper,
            producer.clone(),
            handle.clone(),
            last_collection.clone(),
        );
        let Decisions {
            sampler,
            span_limits,
            tail,
        } = decisions;
        let alone = sampler.clone().filter(|_| !self.others.has_span_processors);
        let intake = Intake::new(producer, handle.clone(), sampler, tail);
        let intake = Arc::new(intake.with_metrics(span_metrics).with_live(shown));
        let reader = PeriodicReader::builder(queue).with_interval(options.interval);
        let processor = SpanProcessor::new(intake.clone());
        let direct_provider =
            alone.map(|sampler| DirectProvider::new(intake.clone(), sampler, span_limits));
        Ok(Self {
            direct_provider: direct_provider.map(Arc::new),
            tracers: self.tracers.with_span_processor(processor),
            meters: Meters {
                provider: self.meters.provider.with_reader(reader.build()),
                ..self.meters
            },
            last_collection: Some(last_collection),
            logs: self.logs.connect(intake.clone()),
            handle: Some(handle),
            intake: Some(intake),
            ..self
        })
    }

    pub(super) fn build(self, resource: Resource) -> Telemetry {
        let logger_provider = self.logs.build(resource.clone());
        let has_statistics = self.meters.has_statistics;
        let meters = self.meters.build(resource.clone());
        if let Some(handle) = self.handle.as_ref().filter(|_| has_statistics) {
            statistics_metrics::register(&meters, handle);
        }
        Telemetry {
            provider: self.tracers.with_resource(resource).build(),
            meters,
            logger: logger_of(&logger_provider),
            logger_provider,
            handle: self.handle,
            intake: self.intake,
            direct_provider: self.direct_provider,
            has_other_exporters: self.others.has_exporters,
            last_collection: self.last_collection,
            panics: None,
            built: Instant::now(),
            #[cfg(feature = "tracing")]
            span_fields: SpanFields::none(),
        }
    }
}

/// The target of telemetry that is only shown on the console.
pub(super) fn nowhere() -> Result<(ConnectionString, Option<Arc<dyn Transport>>), BuildErrorKind> {
    let key = "00000000-0000-0000-0000-000000000000";
    let connection = ConnectionString::from_instrumentation_key(key)?;
    Ok((connection, Some(Arc::new(NullTransport))))
}
