use std::sync::Arc;

use crate::instrument::SpanRecord;
use crate::item::SpanView;
use crate::metrics::performance::RequestRate;
use crate::metrics::standard::StandardMetrics;

/// The counters of ended spans.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpanMetrics {
    pub(super) standard: Option<Arc<StandardMetrics>>,
    pub(super) requests: Option<Arc<RequestRate>>,
}

impl SpanMetrics {
    /// Counts an ended span, sampled or not, unless it was counted before.
    pub(crate) fn count(&self, span: &mut SpanRecord) {
        if self.is_needed() && span.take_count() {
            self.record(span.complete().into());
        }
    }

    /// Counts an ended span that is not sent.
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
