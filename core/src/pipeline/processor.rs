use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::Span as _;
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::instrument::{Identity, OperationName};
use crate::metrics::SpanMetrics;
use crate::pipeline::Intake;
use crate::transmission::Undelivered;

/// Gives spans their operation's name and its user when they start, and the intake those that end.
#[derive(Debug)]
pub(crate) struct Processor {
    intake: Arc<Intake>,
    metrics: SpanMetrics,
}

impl Processor {
    pub(crate) fn new(intake: Arc<Intake>) -> Self {
        Self {
            intake,
            metrics: SpanMetrics::default(),
        }
    }

    /// Counts every span that ends, sampled or not.
    pub(crate) fn with_metrics(mut self, metrics: SpanMetrics) -> Self {
        self.metrics = metrics;
        self
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.intake.span_started(span.span_context(), context);
        if let Some(OperationName(name)) = OperationName::of(context)
            && span.is_recording()
        {
            span.set_attribute(KeyValue::new(
                OperationName::ATTRIBUTE,
                Value::String(name.clone()),
            ));
        }
        if let Some(identity) = Identity::of(context) {
            span.set_attributes(identity.attributes());
        }
    }

    fn on_end(&self, span: SpanData) {
        self.metrics.record(&span);
        self.intake.span_ended(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.intake.flush();
        let transmitter = self.intake.transmitter();
        transmitter.flush(FLUSH_TIMEOUT).map_err(Into::into)
    }

    /// That it has ended before, as when [`Telemetry`](crate::Telemetry) ends, is no failure.
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.intake.close();
        match self.intake.transmitter().shutdown(timeout) {
            Err(Undelivered::AlreadyShutDown) => Ok(()),
            delivery => delivery.map_err(Into::into),
        }
    }
}

/// How long the SDK's own batch processor waits for a flush.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
