//! Items on their way to the worker.

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::envelope::{Data, Envelope};
use crate::instrument::SpanRecord;
use crate::instrument::direct::SpanRate;
use crate::item::{ItemLabel, LogData, Signal, SpanView, TelemetryType, record_of, size};

/// A waiting item. Small, because it is moved between threads.
#[derive(Debug)]
pub(crate) enum Item {
    /// A sampled span that has ended.
    Span(Box<SpanRecord>),
    /// A finished envelope, such as a metric.
    Envelope(Box<Envelope<'static>>),
    /// A log record that sampling keeps.
    Log(Box<LogData>),
}

/// A reference to an item in any storage.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ItemRef<'a> {
    Span(SpanView<'a>),
    Envelope(&'a Envelope<'static>),
    Log(&'a LogData),
}

impl ItemRef<'_> {
    /// The signal of the item.
    pub(crate) fn signal(self) -> Signal {
        match self {
            Self::Span(_) => Signal::Traces,
            Self::Envelope(envelope) => ItemLabel::from(TelemetryType::of(envelope)).signal,
            Self::Log(_) => Signal::Logs,
        }
    }

    /// The label of the item before mapping.
    pub(crate) fn label(self) -> ItemLabel {
        let telemetry_type = match self {
            Self::Span(span) => TelemetryType::of_span(span.span_kind),
            Self::Envelope(envelope) => TelemetryType::of(envelope),
            // Only the mapping decides whether the record becomes another type.
            Self::Log(_) => TelemetryType::Trace,
        };
        ItemLabel::new(self.signal(), telemetry_type)
    }

    /// Whether the item is the local root request, which names the operation.
    pub(crate) fn is_root(self) -> bool {
        match self {
            Self::Span(span) => {
                let is_request = matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer);
                is_request && span.is_local_root()
            }
            Self::Envelope(_) | Self::Log(_) => false,
        }
    }
}

impl Item {
    /// A reference to the item.
    pub(crate) fn as_ref(&self) -> ItemRef<'_> {
        match self {
            Self::Span(span) => ItemRef::Span(SpanView::of(span)),
            Self::Envelope(envelope) => ItemRef::Envelope(envelope),
            Self::Log(log) => ItemRef::Log(log),
        }
    }

    /// The label of the item before mapping.
    pub(crate) fn label(&self) -> ItemLabel {
        self.as_ref().label()
    }

    /// The memory of the item in bytes, as [`size`] estimates it.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Span(span) => size::of_span(span.data()) + span.deferred_size(),
            Self::Envelope(envelope) => size::of_envelope(envelope),
            Self::Log(log) => size::of_log(log),
        }
    }

    /// Whether the item reports a failure; the queue drops such items last.
    pub(crate) fn is_failure(&mut self) -> bool {
        match self {
            Self::Span(span) => is_failure(span),
            Self::Envelope(envelope) => match &envelope.data {
                Data::Exception(_) => true,
                Data::Request(data) => !data.success,
                _ => false,
            },
            Self::Log(log) => log.is_failure(),
        }
    }

    /// Removes the sampling rate: the item counts once.
    pub(crate) fn count_once(&mut self) {
        match self {
            Self::Span(span) => span.set_rate(SpanRate::Percent(100.0)),
            Self::Envelope(envelope) => envelope.sample_rate = None,
            Self::Log(log) => log.count_once(),
        }
    }
}

/// Whether a span failed or contains an exception.
fn is_failure(span: &mut SpanRecord) -> bool {
    let data = span.complete();
    let is_error_code = |attribute: &KeyValue| {
        let is_code = matches!(
            attribute.key.as_str(),
            "http.response.status_code" | "http.status_code"
        );
        is_code && matches!(attribute.value, Value::I64(400..))
    };
    matches!(data.status, Status::Error { .. })
        || data.events.iter().any(|event| event.name == "exception")
        || data.attributes.iter().any(is_error_code)
}

impl From<SpanData> for Item {
    fn from(span: SpanData) -> Self {
        Self::Span(record_of(span))
    }
}

impl From<Envelope<'static>> for Item {
    fn from(envelope: Envelope<'static>) -> Self {
        Self::Envelope(Box::new(envelope))
    }
}

impl From<LogData> for Item {
    fn from(log: LogData) -> Self {
        Self::Log(Box::new(log))
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::SpanId;

    use super::*;
    use crate::fixtures::span;

    #[test]
    fn only_a_request_without_a_local_parent_is_a_root() {
        let parent = SpanId::from_bytes([2; 8]);
        for (kind, parent_span_id, parent_span_is_remote, is_root) in [
            (SpanKind::Server, SpanId::INVALID, false, true),
            (SpanKind::Consumer, parent, true, true),
            (SpanKind::Server, parent, false, false),
            (SpanKind::Client, SpanId::INVALID, false, false),
        ] {
            let span = SpanData {
                span_kind: kind,
                parent_span_id,
                parent_span_is_remote,
                ..span("x")
            };
            assert_eq!(ItemRef::Span((&span).into()).is_root(), is_root);
        }
    }
}
