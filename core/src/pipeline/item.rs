use opentelemetry::trace::{SpanId, SpanKind};
use opentelemetry_sdk::trace::SpanData;

use crate::envelope::Envelope;
use crate::mapping::LogData;
use crate::pipeline::size;
use crate::sampling::sample_rate;
use crate::transmission::TelemetryType;

/// What waits to be sent.
#[derive(Debug)]
pub(crate) enum Item {
    /// A span that has ended and is sampled.
    Span(SpanData),
    /// An item that is made already, such as a metric.
    Envelope(Envelope<'static>),
    /// A log record that is not left out with its span.
    Log(LogData),
}

impl Item {
    /// What it becomes.
    pub(crate) fn telemetry_type(&self) -> TelemetryType {
        match self {
            Self::Span(span) => TelemetryType::of_span(&span.span_kind),
            Self::Envelope(envelope) => TelemetryType::of(envelope),
            // What else it may become is only known when it is mapped.
            Self::Log(_) => TelemetryType::Trace,
        }
    }

    /// Whether it is a request at the root of its trace in this process, which names the operation.
    pub(crate) fn is_root(&self) -> bool {
        match self {
            Self::Span(span) => {
                let is_request = matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer);
                is_request && (span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote)
            }
            Self::Envelope(_) | Self::Log(_) => false,
        }
    }

    /// The memory that it holds, in bytes, as [`size`] estimates it.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Span(span) => size::of_span(span),
            Self::Envelope(envelope) => size::of_envelope(envelope),
            Self::Log(log) => size::of_log(log),
        }
    }

    /// Makes it stand for itself alone, whatever its rate was.
    pub(crate) fn count_once(&mut self) {
        match self {
            Self::Span(span) => sample_rate::remove(span),
            Self::Envelope(envelope) => envelope.sample_rate = None,
            Self::Log(log) => log.count_once(),
        }
    }
}

impl From<SpanData> for Item {
    fn from(span: SpanData) -> Self {
        Self::Span(span)
    }
}

impl From<Envelope<'static>> for Item {
    fn from(envelope: Envelope<'static>) -> Self {
        Self::Envelope(envelope)
    }
}

impl From<LogData> for Item {
    fn from(log: LogData) -> Self {
        Self::Log(log)
    }
}

#[cfg(test)]
mod tests {
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
            assert_eq!(Item::Span(span).is_root(), is_root);
        }
    }
}
