use std::sync::Arc;

use crate::instrument::SpanRecord;
use crate::item::SpanView;
use crate::metrics::performance::RequestRate;
use crate::metrics::standard::StandardMetrics;

/// What counts the spans that end.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpanMetrics {
    pub(super) standard: Option<Arc<StandardMetrics>>,
    pub(super) requests: Option<Arc<RequestRate>>,
}

impl SpanMetrics {
    /// Counts a span that has ended, whether it is sampled or not, unless that was done before.
    pub(crate) fn count(&self, span: &mut SpanRecord) {
        if self.is_needed() && span.take_count() {
            self.record(span.complete().into());
        }
    }

    /// Counts a span that has ended and goes nowhere else.
    pub(crate) fn count_last(&self, mut span: Box<SpanRecord>) {
        if self.is_needed() && span.take_count() {
            self.record(span.complete_for_metrics().into());
        }
    }

    fn is_needed(&self) -> bool {
        self.standard.is_some() || self.requests.is_some()
    }

    fn record(&self, span: SpanView<'_>) {
        if let Some(standard) = &self.standard {
            standard.record(span);
        }
        if let Some(requests) = &self.requests {
            requests.record(span);
        }
    }
}
