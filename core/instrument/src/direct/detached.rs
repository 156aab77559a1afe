use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::deferred::DeferredAttributes;
use super::record::{NewRecord, SpanRecord};

/// The receiver of the records of ended spans.
pub trait TakeRecord: Send + Sync {
    /// Takes one.
    fn take(&self, record: Box<SpanRecord>);
}

/// The outcome of starting a span outside of any context.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made, and a box would be another block of memory"
)]
pub enum Detached {
    /// It is recorded.
    Recorded(NewDetached),
    /// Nothing is recorded.
    Nothing,
    /// The tracer cannot tell without the attributes, or knows no such spans: OpenTelemetry's API must start it.
    Unsupported,
}

/// A span that was started, of which only its attributes are missing.
pub struct NewDetached {
    record: NewRecord,
    to: Arc<dyn TakeRecord>,
}

/// A span that the operation owns which it is about: no context holds it, and no lock is taken for it.
///
/// It ends when it is dropped.
pub struct DetachedSpan<L: DeferredAttributes> {
    /// `None` after its end.
    record: Option<Box<SpanRecord<L>>>,
    to: Arc<dyn TakeRecord>,
}

impl NewDetached {
    /// Makes what goes to `to` when it has ended.
    #[must_use]
    pub fn new(record: NewRecord, to: Arc<dyn TakeRecord>) -> Self {
        Self { record, to }
    }

    /// Makes the span with attributes that are written when it is sent.
    #[must_use]
    #[inline]
    pub fn with<L: DeferredAttributes>(self, make: impl FnOnce() -> L) -> DetachedSpan<L> {
        DetachedSpan {
            record: Some(self.record.with_deferred(make)),
            to: self.to,
        }
    }
}

impl<L: DeferredAttributes> DetachedSpan<L> {
    /// Its record, as long as it has not ended.
    pub fn record_mut(&mut self) -> Option<&mut SpanRecord<L>> {
        self.record.as_deref_mut()
    }

    /// Ends the span.
    pub fn end(mut self, time: SystemTime) {
        self.end_at(time);
    }

    fn end_at(&mut self, time: SystemTime) {
        if let Some(mut record) = self.record.take() {
            record.end(time, None);
            self.to.take(record);
        }
    }
}

impl<L: DeferredAttributes> Drop for DetachedSpan<L> {
    fn drop(&mut self) {
        if self.record.is_some() {
            self.end_at(opentelemetry::time::now());
        }
    }
}

impl fmt::Debug for NewDetached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewDetached")
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

impl<L: DeferredAttributes> fmt::Debug for DetachedSpan<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedSpan")
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}
