use std::sync::Arc;

use opentelemetry_sdk::trace::SpanData;

use crate::metrics::performance::RequestRate;
use crate::metrics::standard::StandardMetrics;

/// What counts the spans that end.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpanMetrics {
    pub(super) standard: Option<Arc<StandardMetrics>>,
    pub(super) requests: Option<Arc<RequestRate>>,
}

impl SpanMetrics {
    /// Counts a span that has ended, whether it is sampled or not.
    pub(crate) fn record(&self, span: &SpanData) {
        if let Some(standard) = &self.standard {
            standard.record(span);
        }
        if let Some(requests) = &self.requests {
            requests.record(span);
        }
    }
}
