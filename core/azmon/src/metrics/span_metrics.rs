use std::sync::Arc;

use crate::instrument::SpanRecord;
use crate::item::SpanView;
use crate::metrics::counted_request::CountedRequest;
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
        self.count_by(span, |span| span.complete().into());
    }

    /// Counts an ended span that is not sent.
    pub(crate) fn count_last(&self, mut span: Box<SpanRecord>) {
        self.count_by(&mut span, |span| span.complete_for_metrics().into());
    }

    /// Counts a request that has ended and has no record.
    pub(crate) fn count_request(&self, request: &CountedRequest) {
        if let Some(requests) = &self.requests {
            requests.record(request.span());
        }
        if let Some(standard) = &self.standard {
            standard.record_request(request);
        }
    }

    /// `complete` is asked for a span whose dimensions are not known without its attributes.
    fn count_by(&self, span: &mut SpanRecord, complete: fn(&mut SpanRecord) -> SpanView<'_>) {
        let is_needed = self.standard.is_some() || self.requests.is_some();
        if !is_needed || !span.take_count() {
            return;
        }
        if let Some(requests) = &self.requests {
            requests.record(span.data().into());
        }
        if let Some(standard) = &self.standard
            && !standard.record_plain(span)
        {
            standard.record(complete(span));
        }
    }
}
