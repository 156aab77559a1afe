use std::time::Duration;

use opentelemetry::trace::Span as _;
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::instrument::OperationName;
use crate::pipeline::Producer;
use crate::transmission::{DropReason, Transmitter};

/// Gives spans their operation's name when they start, and the worker the sampled ones when they end.
#[derive(Debug)]
pub(crate) struct Processor {
    producer: Producer,
    transmitter: Transmitter,
}

impl Processor {
    pub(crate) fn new(producer: Producer, transmitter: Transmitter) -> Self {
        Self {
            producer,
            transmitter,
        }
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        if let Some(OperationName(name)) = OperationName::of(context)
            && span.is_recording()
        {
            span.set_attribute(KeyValue::new(
                OperationName::ATTRIBUTE,
                Value::String(name.clone()),
            ));
        }
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.transmitter.is_closed() {
            self.transmitter.losses().count(DropReason::Shutdown, 1);
        } else if !self.producer.push(span) {
            self.transmitter.losses().count(DropReason::QueueFull, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.transmitter.flush(FLUSH_TIMEOUT).map_err(Into::into)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.transmitter.shutdown(timeout).map_err(Into::into)
    }
}

/// How long the SDK's own batch processor waits for a flush.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
