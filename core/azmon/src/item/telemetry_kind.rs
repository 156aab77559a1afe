use opentelemetry::trace::SpanKind;

/// What a span or a log record becomes in Application Insights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TelemetryKind {
    /// What calls something else or is internal.
    Dependency,
    /// A log record of an error: one with `exception.type` or `exception.message`.
    Exception,
    /// What a server or a consumer does.
    Request,
    /// Another log record. Custom events and availability results are none.
    Trace,
}

impl TelemetryKind {
    /// What a span of this kind becomes.
    #[must_use]
    pub fn of(kind: &SpanKind) -> Self {
        match kind {
            SpanKind::Consumer | SpanKind::Server => Self::Request,
            SpanKind::Client | SpanKind::Internal | SpanKind::Producer => Self::Dependency,
        }
    }
}
