use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, Status};

use super::DirectProvider;
use crate::instrument::direct::take_ended;
use crate::metrics::CountedRequest;

/// A running request that is not sampled, and of which only a count is kept.
#[derive(Debug)]
pub(super) struct CountedSpan {
    span_context: SpanContext,
    /// `None` after its end.
    request: Option<CountedRequest>,
    provider: Arc<DirectProvider>,
}

impl CountedSpan {
    pub(super) fn new(
        span_context: SpanContext,
        request: CountedRequest,
        provider: Arc<DirectProvider>,
    ) -> Self {
        Self {
            span_context,
            request: Some(request),
            provider,
        }
    }

    fn end_at(&mut self, time: Option<SystemTime>) {
        let Some(mut request) = self.request.take() else {
            return;
        };
        request.end(time.unwrap_or_else(opentelemetry::time::now), take_ended());
        self.provider.count(request);
    }
}

/// It records as far as anything decides how it is counted.
impl opentelemetry::trace::Span for CountedSpan {
    fn add_event_with_timestamp<T>(&mut self, _: T, _: SystemTime, _: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
    }

    fn span_context(&self) -> &SpanContext {
        &self.span_context
    }

    fn is_recording(&self) -> bool {
        self.request.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(request) = &mut self.request {
            let most = self.provider.limits().max_attributes_per_span;
            request.set(attribute, most);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(request) = &mut self.request {
            request.set_status(status);
        }
    }

    fn update_name<T>(&mut self, _: T)
    where
        T: Into<Cow<'static, str>>,
    {
    }

    fn add_link(&mut self, _: SpanContext, _: Vec<KeyValue>) {}

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.end_at(Some(timestamp));
    }
}

impl Drop for CountedSpan {
    fn drop(&mut self) {
        self.end_at(None);
    }
}
