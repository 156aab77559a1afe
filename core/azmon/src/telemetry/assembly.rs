use std::sync::Arc;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, PeriodicReader};
use opentelemetry_sdk::trace::{SpanLimits, TracerProviderBuilder};

use crate::ConnectionString;
use crate::error::BuildErrorKind;
use crate::metrics::{AutomaticMetrics, AutomaticOptions};
use crate::pipeline::{Intake, Launch, MetricQueue, Processor, Tail};
use crate::recorder::Recorder;
use crate::sampling::HeadSampler;
use crate::telemetry::Telemetry;
use crate::telemetry::logs::Logs;
use crate::transmission::{Console, Extras, Nowhere, Transmitter, Transport};

/// What telemetry is put together from.
pub(super) struct Parts {
    pub(super) tracers: TracerProviderBuilder,
    pub(super) meters: MeterProviderBuilder,
    pub(super) logs: Logs,
    /// Whether somebody else gets telemetry, too.
    pub(super) has_others: bool,
    pub(super) transmitter: Option<Transmitter>,
    pub(super) intake: Option<Arc<Intake>>,
    pub(super) recorder: Option<Arc<Recorder>>,
}

/// What decides which spans are kept.
pub(super) struct Decisions {
    /// `None` when the sampler is the user's own.
    pub(super) sampler: Option<HeadSampler>,
    pub(super) span_limits: SpanLimits,
    /// `None` when spans are decided about when they start.
    pub(super) tail: Option<Tail>,
}

impl Parts {
    /// Starts the worker, and lets spans, log records and metrics come to it.
    pub(super) fn with_worker(
        self,
        launch: Launch<'_>,
        decisions: Decisions,
        options: &AutomaticOptions,
        console: Option<Console>,
    ) -> Result<Self, BuildErrorKind> {
        let mapper = launch.mapper.clone();
        let (metrics, span_metrics) = AutomaticMetrics::new(options, &mapper);
        let (producer, transmitter) = launch.start_with(Extras {
            metrics,
            span_metrics: span_metrics.clone(),
            console,
        })?;
        let queue = MetricQueue::new(mapper, producer.clone(), transmitter.clone());
        let Decisions {
            sampler,
            span_limits,
            tail,
        } = decisions;
        let alone = sampler.clone().filter(|_| !self.has_others);
        let intake = Intake::new(producer, transmitter.clone(), sampler, tail);
        let intake = Arc::new(intake.with_metrics(span_metrics));
        let reader = PeriodicReader::builder(queue).with_interval(options.interval);
        let processor = Processor::new(intake.clone());
        let recorder = alone.map(|sampler| Recorder::new(intake.clone(), sampler, span_limits));
        Ok(Self {
            recorder: recorder.map(Arc::new),
            tracers: self.tracers.with_span_processor(processor),
            meters: self.meters.with_reader(reader.build()),
            logs: self.logs.connect(intake.clone()),
            transmitter: Some(transmitter),
            intake: Some(intake),
            ..self
        })
    }

    pub(super) fn build(self, resource: Resource) -> Telemetry {
        Telemetry {
            provider: self.tracers.with_resource(resource.clone()).build(),
            meters: self.meters.with_resource(resource.clone()).build(),
            logger_provider: self.logs.build(resource),
            transmitter: self.transmitter,
            intake: self.intake,
            recorder: self.recorder,
            has_others: self.has_others,
            panics: None,
        }
    }
}

/// The target of telemetry that is only looked at.
pub(super) fn nowhere() -> Result<(ConnectionString, Option<Arc<dyn Transport>>), BuildErrorKind> {
    let key = "00000000-0000-0000-0000-000000000000";
    let connection = ConnectionString::from_instrumentation_key(key)?;
    Ok((connection, Some(Arc::new(Nowhere))))
}
