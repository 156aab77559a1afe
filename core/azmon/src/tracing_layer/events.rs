use std::sync::OnceLock;

use opentelemetry::Context;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use tracing::dispatcher::WeakDispatch;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer;
use tracing_subscriber::registry::LookupSpan;

use crate::tracing_layer::span_fields::SpanFields;
use crate::tracing_layer::visitor::Visitor;

/// Converts events to log records.
///
/// OpenTelemetry's own appender does the same, but keeps only the message of an error: neither its type nor its
/// sources.
#[derive(Debug)]
pub(crate) struct Events {
    logger: SdkLogger,
    dispatch: OnceLock<WeakDispatch>,
    span_fields: SpanFields,
}

impl Events {
    pub(crate) fn new(provider: &SdkLoggerProvider, span_fields: SpanFields) -> Self {
        Self {
            // The target identifies the source of the event.
            logger: provider.logger(""),
            dispatch: OnceLock::new(),
            span_fields,
        }
    }

    /// The context of the event, if it is not the current one.
    fn foreign_context(&self, event: &Event<'_>) -> Option<Context> {
        if event.is_root() {
            return Some(Context::new());
        }
        let parent = event.parent()?;
        let dispatch = self.dispatch.get()?.upgrade()?;
        tracing_opentelemetry::get_otel_context(parent, &dispatch)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Events {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        // With several dispatchers, the first one is as good as any other: only the dispatcher that created a span
        // knows it.
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        if !self.span_fields.is_none()
            && let Some(span) = context.span(id)
        {
            self.span_fields
                .keep(&span, |visitor| attributes.record(visitor));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        if !self.span_fields.is_none()
            && let Some(span) = context.span(id)
        {
            self.span_fields
                .keep(&span, |visitor| values.record(visitor));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        let metadata = event.metadata();
        let severity = severity(*metadata.level());
        let name = Some(metadata.name());
        if !self.logger.event_enabled(severity, metadata.target(), name) {
            return;
        }
        let mut record = self.logger.create_log_record();
        record.set_event_name(metadata.name());
        record.set_severity_number(severity);
        record.set_severity_text(metadata.level().as_str());
        let mut visitor = Visitor::new(&mut record, severity, metadata);
        event.record(&mut visitor);
        visitor.finish();
        if !self.span_fields.is_none() {
            SpanFields::add(event, &context, &mut record);
        }
        let _guard = self.foreign_context(event).map(Context::attach);
        self.logger.emit(record);
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::TRACE => Severity::Trace,
        Level::DEBUG => Severity::Debug,
        Level::INFO => Severity::Info,
        Level::WARN => Severity::Warn,
        Level::ERROR => Severity::Error,
    }
}
