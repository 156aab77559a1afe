use std::borrow::Cow;
use std::mem;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};

use super::call::CallFacts;
use super::deferred::DeferredAttributes;
use super::ended::Ended;
use super::request::RequestFacts;
use crate::semconv::HttpEnd;

/// A span and the inputs of its start attributes, in one allocation.
#[derive(Debug)]
pub struct SpanRecord<L: ?Sized = dyn DeferredAttributes> {
    data: SpanFields,
    max_attributes: usize,
    is_complete: bool,
    is_counted: bool,
    rate: SpanRate,
    /// The end of the span's HTTP exchange, if it has one.
    ended: Option<HttpEnd>,
    late: L,
}

/// The number of spans that a span stands for.
///
/// The rate is a field of the record. It travels as an attribute only if the SDK's tracer stands between the sampler
/// and the record, because a sampler can add nothing but attributes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum SpanRate {
    /// The span's attribute has the rate; without one, the span stands for itself alone.
    #[default]
    Unknown,
    /// The span was kept at this sampling rate, in percent.
    Percent(f64),
    /// The span must never be kept, even if it fails or is slow.
    Never,
}

/// The fields of a span, as in the SDK's `SpanData` but without an instrumentation scope, which Application Insights
/// does not have.
#[derive(Debug, Clone)]
pub struct SpanFields {
    /// The span's own ids and flags.
    pub span_context: SpanContext,
    /// Invalid for a root.
    pub parent_span_id: SpanId,
    /// Whether the parent is in another process.
    pub parent_span_is_remote: bool,
    /// The kind.
    pub span_kind: SpanKind,
    /// The name.
    pub name: Cow<'static, str>,
    /// The start.
    pub start_time: SystemTime,
    /// The end; the start before the span has ended.
    pub end_time: SystemTime,
    /// The attributes that are already written.
    pub attributes: Vec<KeyValue>,
    /// The number of attributes that the limit dropped.
    pub dropped_attributes_count: u32,
    /// The events.
    pub events: Vec<Event>,
    /// The number of events that the limit dropped.
    pub dropped_events_count: u32,
    /// The links.
    pub links: Vec<Link>,
    /// The number of links that the limit dropped.
    pub dropped_links_count: u32,
    /// The status.
    pub status: Status,
}

/// A record under construction that lacks only the instrumentation's start attributes.
#[derive(Debug)]
pub struct NewRecord(SpanStart);

/// The fields of a span at its start.
#[derive(Debug)]
pub struct SpanStart {
    pub span_context: SpanContext,
    pub parent_span_id: SpanId,
    pub parent_span_is_remote: bool,
    pub span_kind: SpanKind,
    pub name: Cow<'static, str>,
    pub start_time: SystemTime,
    /// Attributes in addition to the instrumentation's own.
    pub attributes: Vec<KeyValue>,
    pub links: Vec<Link>,
    /// The number of links that the limit dropped.
    pub dropped_links_count: u32,
    pub rate: SpanRate,
    /// The maximum number of attributes of the span.
    pub max_attributes: u32,
}

/// Defers no attributes.
#[derive(Debug)]
struct Nothing;

impl DeferredAttributes for Nothing {
    fn write(&self, _: &mut Vec<KeyValue>) {}

    fn size(&self) -> usize {
        0
    }
}

impl NewRecord {
    /// Makes a record that lacks only the instrumentation's attributes.
    #[must_use]
    pub fn new(start: SpanStart) -> Self {
        Self(start)
    }

    /// Makes a record with these attributes.
    #[must_use]
    pub fn with(mut self, mut attributes: Vec<KeyValue>) -> Box<SpanRecord> {
        attributes.append(&mut self.0.attributes);
        self.0.attributes = attributes;
        let mut record: Box<SpanRecord> = self.make(|| Nothing);
        record.cut();
        record
    }

    /// Makes a record whose attributes are written when it is sent. Large inputs are best copied into
    /// [what the record holds](SpanRecord::deferred_mut), since what `make` returns may be copied itself.
    #[must_use]
    #[inline]
    pub fn with_deferred<L: DeferredAttributes>(
        self,
        make: impl FnOnce() -> L,
    ) -> Box<SpanRecord<L>> {
        self.make(make)
    }

    /// Everything is made where it stays: it is large, and copying it is what costs. `Box::new` would allocate after it
    /// has made the value.
    #[inline]
    fn make<L>(self, make: impl FnOnce() -> L) -> Box<SpanRecord<L>> {
        let (max_attributes, rate) = (self.0.max_attributes as usize, self.0.rate);
        Box::write(
            Box::new_uninit(),
            SpanRecord {
                data: self.0.into(),
                max_attributes,
                is_complete: false,
                is_counted: false,
                rate,
                ended: None,
                late: make(),
            },
        )
    }
}

impl From<SpanStart> for SpanFields {
    #[inline]
    fn from(start: SpanStart) -> Self {
        Self {
            span_context: start.span_context,
            parent_span_id: start.parent_span_id,
            parent_span_is_remote: start.parent_span_is_remote,
            span_kind: start.span_kind,
            name: start.name,
            start_time: start.start_time,
            end_time: start.start_time,
            attributes: start.attributes,
            dropped_attributes_count: 0,
            events: Vec::new(),
            dropped_events_count: 0,
            links: start.links,
            dropped_links_count: start.dropped_links_count,
            status: Status::Unset,
        }
    }
}

impl<L: ?Sized> SpanRecord<L> {
    /// The span, as far as it is written.
    pub fn data(&self) -> &SpanFields {
        &self.data
    }

    /// The source of its attributes.
    pub fn deferred_mut(&mut self) -> &mut L {
        &mut self.late
    }

    /// Ends the span, with its exchange if it has one.
    pub fn end(&mut self, time: SystemTime, exchange: Option<HttpEnd>) {
        self.data.end_time = time;
        if let Some(status) = exchange.as_ref().and_then(HttpEnd::status) {
            self.set_status(status);
        }
        self.ended = exchange;
    }

    /// Ok beats an error, which beats nothing.
    pub fn set_status(&mut self, status: Status) {
        if status > self.data.status {
            self.data.status = status;
        }
    }
}

impl SpanRecord {
    /// The same, to be changed.
    pub fn data_mut(&mut self) -> &mut SpanFields {
        &mut self.data
    }

    /// The sampling rate of the span.
    pub fn rate(&self) -> SpanRate {
        self.rate
    }

    /// Sets the sampling rate of the span.
    pub fn set_rate(&mut self, rate: SpanRate) {
        self.rate = rate;
    }

    /// Adds an attribute.
    pub fn set(&mut self, attribute: KeyValue) {
        let attributes = &mut self.data.attributes;
        if attributes.len() < self.max_attributes {
            attributes.push(attribute);
        } else {
            self.data.dropped_attributes_count =
                self.data.dropped_attributes_count.saturating_add(1);
        }
    }

    /// Writes what is still to be written.
    pub fn complete(&mut self) -> &SpanFields {
        self.complete_by(|late, attributes| late.write(attributes))
    }

    /// Writes the deferred attributes that standard metrics need, for a record that is not sent.
    pub fn complete_for_metrics(&mut self) -> &SpanFields {
        self.complete_by(|late, attributes| late.write_dimensions(attributes))
    }

    fn complete_by(
        &mut self,
        write: impl FnOnce(&dyn DeferredAttributes, &mut Vec<KeyValue>),
    ) -> &SpanFields {
        if !self.is_complete {
            self.is_complete = true;
            let attributes = &mut self.data.attributes;
            let mut later = mem::take(attributes);
            write(&self.late, attributes);
            attributes.append(&mut later);
            attributes.extend(self.ended.iter().flat_map(HttpEnd::attributes));
            self.cut();
        }
        &self.data
    }

    /// The request whose span it is, as long as none of its attributes has been written and no limit drops one.
    #[must_use]
    pub fn request(&self) -> Option<Ended<'_, RequestFacts<'_>>> {
        self.as_ended(self.late.request())
    }

    /// The outgoing call whose span it is, under the same conditions.
    #[must_use]
    pub fn call(&self) -> Option<Ended<'_, CallFacts<'_>>> {
        self.as_ended(self.late.call())
    }

    fn as_ended<Facts>(&self, facts: Option<Facts>) -> Option<Ended<'_, Facts>> {
        let attributes = self.data.attributes.as_slice();
        let most = attributes.len() + Ended::<Facts>::MOST_ATTRIBUTES;
        if self.is_complete || most > self.max_attributes {
            return None;
        }
        Ended::new(facts?, attributes, self.ended.as_ref()?)
    }

    /// Whether it is counted for the first time.
    pub fn take_count(&mut self) -> bool {
        !mem::replace(&mut self.is_counted, true)
    }

    /// The memory of the inputs of deferred attributes, in bytes; 0 once they are written.
    pub fn deferred_size(&self) -> usize {
        if self.is_complete {
            0
        } else {
            size_of_val(&self.late) + self.late.size()
        }
    }

    fn cut(&mut self) {
        let data = &mut self.data;
        let dropped = data.attributes.len().saturating_sub(self.max_attributes);
        data.attributes.truncate(self.max_attributes);
        let dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
        data.dropped_attributes_count = data.dropped_attributes_count.saturating_add(dropped);
    }
}

impl From<SpanFields> for Box<SpanRecord> {
    /// The SDK has already limited the attributes.
    fn from(data: SpanFields) -> Self {
        Box::new(SpanRecord {
            data,
            max_attributes: usize::MAX,
            is_complete: false,
            is_counted: false,
            rate: SpanRate::Unknown,
            ended: None,
            late: Nothing,
        })
    }
}

#[cfg(test)]
impl NewRecord {
    /// A record without attributes, which keeps at most this number of them.
    pub(crate) fn empty(max_attributes: u32) -> Self {
        Self(SpanStart {
            span_context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: "x".into(),
            start_time: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            links: Vec::new(),
            dropped_links_count: 0,
            rate: SpanRate::Unknown,
            max_attributes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Two;

    impl DeferredAttributes for Two {
        fn write(&self, attributes: &mut Vec<KeyValue>) {
            attributes.push(KeyValue::new("first", 1));
            attributes.push(KeyValue::new("second", 2));
        }

        fn write_dimensions(&self, attributes: &mut Vec<KeyValue>) {
            attributes.push(KeyValue::new("second", 2));
        }

        fn size(&self) -> usize {
            8
        }
    }

    fn new(most: u32) -> NewRecord {
        let mut new = NewRecord::empty(most);
        new.0.attributes.push(KeyValue::new("third", 3));
        new
    }

    fn keys(record: &mut SpanRecord) -> Vec<&str> {
        let attributes = record.complete().attributes.iter();
        attributes.map(|attribute| attribute.key.as_str()).collect()
    }

    #[test]
    fn late_attributes_go_before_the_others_and_are_written_once() {
        let mut record: Box<SpanRecord> = new(10).with_deferred(|| Two);
        assert_eq!(record.deferred_size(), 8);
        for _ in 0..2 {
            assert_eq!(keys(&mut record), ["first", "second", "third"]);
        }
        assert_eq!(record.data().dropped_attributes_count, 0);
        assert_eq!(record.deferred_size(), 0);
    }

    #[test]
    fn metrics_see_what_they_are_made_of_and_what_was_set() {
        let mut record: Box<SpanRecord> = new(10).with_deferred(|| Two);
        record.complete_for_metrics();
        assert_eq!(keys(&mut record), ["second", "third"]);
    }

    #[test]
    fn early_attributes_make_the_same_record() {
        let mut list = Vec::new();
        Two.write(&mut list);
        assert_eq!(keys(&mut new(10).with(list)), ["first", "second", "third"]);
    }

    #[test]
    fn attributes_stay_in_the_order_in_which_they_were_set() {
        let list = || (0..10).map(|number| KeyValue::new(format!("{number}"), number));
        for mut record in [
            NewRecord::empty(12).with_deferred(|| Two),
            NewRecord::empty(12).with(vec![KeyValue::new("first", 1), KeyValue::new("second", 2)]),
        ] {
            list().for_each(|attribute| record.set(attribute));
            let expected = ["first", "second"].map(str::to_owned).into_iter();
            let expected: Vec<_> = expected.chain((0..10).map(|n| n.to_string())).collect();
            assert_eq!(keys(&mut record), expected);
            assert_eq!(record.data().dropped_attributes_count, 0);
        }
    }

    #[test]
    fn attributes_that_are_set_beyond_the_limit_are_dropped_and_counted() {
        for mut record in [
            NewRecord::empty(4).with_deferred(|| Two),
            NewRecord::empty(4).with(vec![KeyValue::new("first", 1), KeyValue::new("second", 2)]),
        ] {
            (0..20).for_each(|number| record.set(KeyValue::new("more", number)));
            assert_eq!(keys(&mut record), ["first", "second", "more", "more"]);
            assert_eq!(record.data().dropped_attributes_count, 18);
        }
    }

    #[test]
    fn attributes_beyond_the_limit_are_dropped_and_counted() {
        let mut list = Vec::new();
        Two.write(&mut list);
        for mut record in [new(1).with_deferred(|| Two), new(1).with(list)] {
            assert_eq!(keys(&mut record), ["first"]);
            assert_eq!(record.data().dropped_attributes_count, 2);
        }
    }
}
