use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::Span as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData};

use crate::error::Undelivered;
use crate::item::{Signal, record_of};
use crate::pipeline::{Intake, inherit};
use crate::sampling::Parent;

/// Adds the operation name and the identity to spans at their start, and passes ended spans to the intake.
#[derive(Debug)]
pub(crate) struct SpanProcessor {
    intake: Arc<Intake>,
}

impl SpanProcessor {
    pub(crate) fn new(intake: Arc<Intake>) -> Self {
        Self { intake }
    }
}

impl opentelemetry_sdk::trace::SpanProcessor for SpanProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.intake
            .span_started(span.span_context(), Parent::of(context));
        let mut attributes = Vec::new();
        inherit(context, &mut attributes);
        span.set_attributes(attributes);
    }

    fn on_end(&self, span: SpanData) {
        self.intake.span_ended(record_of(span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.intake.flush();
        let handle = self.intake.handle();
        handle.flush(FLUSH_TIMEOUT).map_err(Into::into)
    }

    /// Shuts down spans alone; log records and metrics continue. Succeeds if they were shut down before, as by
    /// [`Telemetry`](crate::Telemetry).
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.intake.close();
        match self.intake.handle().close(Signal::Traces, timeout) {
            Err(Undelivered::AlreadyShutDown) => Ok(()),
            delivery => delivery.map_err(Into::into),
        }
    }
}

/// Timeout of a flush in the SDK's own batch processor.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
