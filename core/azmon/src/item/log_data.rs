use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::logs::Severity;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry::{Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::logs::SdkLogRecord;

use crate::instrument::{Identity, OperationName, SampleRate};
use crate::item::{TelemetryType, any_value};

/// An emitted log record: the counterpart of [`SpanData`](opentelemetry_sdk::trace::SpanData) for spans.
#[derive(Debug, Clone)]
pub struct LogData {
    pub(crate) time: SystemTime,
    /// [`TraceId::INVALID`] outside a span.
    pub(crate) trace_id: TraceId,
    /// [`SpanId::INVALID`] outside a span.
    pub(crate) span_id: SpanId,
    pub(crate) severity: Option<Severity>,
    pub(crate) severity_text: Option<Cow<'static, str>>,
    pub(crate) event_name: Option<Cow<'static, str>>,
    pub(crate) target: Option<Cow<'static, str>>,
    pub(crate) scope: InstrumentationScope,
    pub(crate) body: Option<Value>,
    pub(crate) attributes: Vec<KeyValue>,
    /// In percent; `None` means the rate of the enclosing span.
    pub(crate) sample_rate: Option<f64>,
}

impl LogData {
    /// Copies a record of the SDK.
    ///
    /// A record without a timestamp gets its observed timestamp, and without that one the time of this call.
    #[must_use]
    pub fn new(record: &SdkLogRecord, scope: &InstrumentationScope) -> Self {
        let time = record.timestamp().or_else(|| record.observed_timestamp());
        let span = record.trace_context();
        let attributes = record.attributes_iter();
        Self {
            time: time.unwrap_or_else(SystemTime::now),
            trace_id: span.map_or(TraceId::INVALID, |span| span.trace_id),
            span_id: span.map_or(SpanId::INVALID, |span| span.span_id),
            severity: record.severity_number(),
            severity_text: record.severity_text().map(Cow::Borrowed),
            event_name: record.event_name().map(Cow::Borrowed),
            target: record.target().cloned(),
            scope: scope.clone(),
            body: record.body().map(any_value::to_value),
            attributes: attributes
                .map(|(key, value)| KeyValue::new(key.clone(), any_value::to_value(value)))
                .collect(),
            sample_rate: None,
        }
    }

    /// Starts a record that does not come from the SDK, such as a received one. Only its time is set.
    #[must_use]
    pub fn at(time: SystemTime) -> Self {
        Self {
            time,
            trace_id: TraceId::INVALID,
            span_id: SpanId::INVALID,
            severity: None,
            severity_text: None,
            event_name: None,
            target: None,
            scope: InstrumentationScope::default(),
            body: None,
            attributes: Vec::new(),
            sample_rate: None,
        }
    }

    /// Sets the span that the record belongs to.
    #[must_use]
    pub fn in_span(mut self, trace_id: TraceId, span_id: SpanId) -> Self {
        (self.trace_id, self.span_id) = (trace_id, span_id);
        self
    }

    /// Sets the severity, and the source's text for it.
    #[must_use]
    pub fn with_severity(
        mut self,
        severity: Option<Severity>,
        text: Option<Cow<'static, str>>,
    ) -> Self {
        (self.severity, self.severity_text) = (severity, text);
        self
    }

    /// Sets the event's name. An empty name counts as none.
    #[must_use]
    pub fn with_event_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.event_name = Some(name.into());
        self
    }

    /// Sets the instrumentation scope that emitted the record.
    #[must_use]
    pub fn with_scope(mut self, scope: InstrumentationScope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets the body: text or structured data.
    #[must_use]
    pub fn with_body(mut self, body: Option<Value>) -> Self {
        self.body = body;
        self
    }

    /// Sets the attributes.
    #[must_use]
    pub fn with_attributes(mut self, attributes: Vec<KeyValue>) -> Self {
        self.attributes = attributes;
        self
    }

    /// Adds the operation and the user of `context`, unless the record has its own.
    #[must_use]
    pub fn in_context(mut self, context: &Context) -> Self {
        if self.sample_rate.is_none() {
            self.sample_rate = SampleRate::of(context).map(SampleRate::percent);
        }
        if let Some(OperationName(name)) = OperationName::of(context) {
            let name = Value::String(name.clone());
            self.add_missing(KeyValue::new(OperationName::ATTRIBUTE, name));
        }
        if let Some(identity) = Identity::of(context) {
            identity
                .attributes()
                .for_each(|attribute| self.add_missing(attribute));
        }
        self
    }

    /// Excludes the record from sampling, so that it counts once, whether its span is sampled or not.
    #[must_use]
    pub fn unsampled(mut self) -> Self {
        self.sample_rate = Some(100.0);
        self
    }

    /// Sets the sampling rate, in percent, unless the record has one.
    pub(crate) fn at_rate(mut self, percent: Option<f64>) -> Self {
        self.sample_rate = self.sample_rate.or(percent);
        self
    }

    /// Removes the sampling rate: the record counts once.
    pub(crate) fn count_once(&mut self) {
        self.sample_rate = Some(100.0);
    }

    /// The trace that the record belongs to; [`TraceId::INVALID`] outside a span.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Whether the record reports a failure.
    pub(crate) fn is_failure(&self) -> bool {
        self.severity >= Some(Severity::Error) || self.telemetry_type() == TelemetryType::Exception
    }

    /// The target: the name of the logger or module that emitted the record.
    pub(crate) fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// The telemetry type of the record's item.
    pub(crate) fn telemetry_type(&self) -> TelemetryType {
        TelemetryType::of_log(|name| {
            let mut attributes = self.attributes.iter();
            attributes.any(|known| known.key.as_str() == name)
        })
    }

    /// The record's attributes.
    #[must_use]
    pub fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    /// The body: text or structured data.
    #[must_use]
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    fn add_missing(&mut self, attribute: KeyValue) {
        if self
            .attributes
            .iter()
            .all(|known| known.key != attribute.key)
        {
            self.attributes.push(attribute);
        }
    }
}
