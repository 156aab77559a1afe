use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, Status};

use super::DirectProvider;
use crate::instrument::SpanRecord;
use crate::instrument::direct::take_ended;

/// A running span with the behaviour of the SDK's span.
#[derive(Debug)]
pub(super) struct DirectSpan {
    /// `None` after its end.
    record: Option<Box<SpanRecord>>,
    provider: Arc<DirectProvider>,
}

impl DirectSpan {
    pub(super) fn new(record: Box<SpanRecord>, provider: Arc<DirectProvider>) -> Self {
        Self {
            record: Some(record),
            provider,
        }
    }

    fn end_at(&mut self, time: Option<SystemTime>) {
        let Some(mut record) = self.record.take() else {
            return;
        };
        record.end(time.unwrap_or_else(opentelemetry::time::now), take_ended());
        self.provider.ended(record);
    }
}

impl opentelemetry::trace::Span for DirectSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        mut attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        let Some(record) = &mut self.record else {
            return;
        };
        let limits = self.provider.limits();
        let span = record.data_mut();
        if span.events.len() < limits.max_events_per_span as usize {
            let dropped = cut(&mut attributes, limits.max_attributes_per_event);
            span.events
                .push(Event::new(name, timestamp, attributes, dropped));
        } else {
            span.dropped_events_count = span.dropped_events_count.saturating_add(1);
        }
    }

    /// A [`Context`](opentelemetry::Context) reads it before the end, and keeps it.
    fn span_context(&self) -> &SpanContext {
        match &self.record {
            Some(record) => &record.data().span_context,
            None => &SpanContext::NONE,
        }
    }

    fn is_recording(&self) -> bool {
        self.record.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(record) = &mut self.record {
            record.set(attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(record) = &mut self.record {
            record.set_status(status);
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(record) = &mut self.record {
            record.data_mut().name = new_name.into();
        }
    }

    fn add_link(&mut self, span_context: SpanContext, mut attributes: Vec<KeyValue>) {
        let Some(record) = &mut self.record else {
            return;
        };
        let limits = self.provider.limits();
        let span = record.data_mut();
        if span.links.len() < limits.max_links_per_span as usize {
            let dropped = cut(&mut attributes, limits.max_attributes_per_link);
            span.links
                .push(Link::new(span_context, attributes, dropped));
        } else {
            span.dropped_links_count = span.dropped_links_count.saturating_add(1);
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.end_at(Some(timestamp));
    }
}

impl Drop for DirectSpan {
    fn drop(&mut self) {
        self.end_at(None);
    }
}

/// Truncates a list to its limit, and returns the number of removed elements.
pub(super) fn cut<T>(list: &mut Vec<T>, most: u32) -> u32 {
    let most = most as usize;
    let dropped = list.len().saturating_sub(most);
    list.truncate(most);
    u32::try_from(dropped).unwrap_or(u32::MAX)
}
