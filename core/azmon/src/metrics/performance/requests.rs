use std::time::Duration;

use opentelemetry::trace::SpanKind;

use crate::item::SpanView;
use crate::shards::Shards;

/// The number of requests that ended, and their duration.
#[derive(Debug)]
pub(crate) struct RequestRate(Shards<Requests>);

/// The requests of an interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Requests {
    pub(super) count: u32,
    pub(super) duration: Duration,
}

impl RequestRate {
    pub(in crate::metrics) fn new() -> Self {
        Self(Shards::new())
    }

    /// Counts a span if it is a request.
    pub(in crate::metrics) fn record(&self, span: SpanView<'_>) {
        if matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer) {
            let duration = span.end_time.duration_since(span.start_time);
            let one = Requests {
                count: 1,
                duration: duration.unwrap_or_default(),
            };
            self.0.update(|requests| *requests = requests.and(one));
        }
    }

    /// Takes the requests since the last call.
    pub(super) fn take(&self) -> Requests {
        self.0.drain().fold(Requests::default(), Requests::and)
    }
}

impl Requests {
    fn and(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            duration: self.duration.saturating_add(other.duration),
        }
    }
}
