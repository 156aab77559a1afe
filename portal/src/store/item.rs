use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use azmon_envelope::{Data, Envelope, tags};
use serde_json::value::RawValue;

use crate::store::ItemKind;

/// One telemetry item that the portal holds.
#[derive(Debug)]
pub struct Item {
    id: u64,
    received: SystemTime,
    content: NewItem,
}

/// An item that was accepted, before it has an id.
#[derive(Debug)]
pub(crate) struct NewItem {
    kind: ItemKind,
    json: Box<RawValue>,
    pub(super) envelope: Envelope<'static>,
}

impl NewItem {
    pub(crate) fn new(kind: ItemKind, json: Box<RawValue>, envelope: Envelope<'static>) -> Self {
        Self {
            kind,
            json,
            envelope,
        }
    }

    #[cfg(test)]
    pub(crate) const fn kind(&self) -> ItemKind {
        self.kind
    }

    /// About how much memory the item takes, in bytes.
    ///
    /// The texts are held twice, as JSON and parsed; an element of a map or a list costs more than its JSON when it
    /// is small, so these are counted apart.
    pub(crate) fn size(&self) -> usize {
        const ELEMENT: usize = 128;
        let elements = self.envelope.tags.len() + elements(&self.envelope.data);
        size_of::<Item>() + 2 * self.json.get().len() + ELEMENT * elements
    }
}

fn elements(data: &Data<'_>) -> usize {
    let of_payload = match data {
        Data::Request(data) => data.measurements.len(),
        Data::RemoteDependency(data) => data.measurements.len(),
        Data::Exception(data) => {
            let frames = data.exceptions.iter().map(|cause| cause.parsed_stack.len());
            data.exceptions.len() + frames.sum::<usize>() + data.measurements.len()
        }
        Data::Message(data) => data.measurements.len(),
        Data::Event(data) => data.measurements.len(),
        Data::Metric(data) => data.metrics.len(),
        Data::Availability(data) => data.measurements.len(),
        Data::PageView(data) => data.measurements.len(),
        Data::PageViewPerf(data) => data.page.measurements.len(),
    };
    of_payload + data.properties().len()
}

impl Item {
    pub(crate) fn new(id: u64, received: SystemTime, content: NewItem) -> Self {
        Self {
            id,
            received,
            content,
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.content.size()
    }

    /// The number of the item: 1 for the first that the portal received, and never used again.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// When the portal received it; when it happened is the envelope's `time`.
    #[must_use]
    pub const fn received(&self) -> SystemTime {
        self.received
    }

    /// What the item is.
    #[must_use]
    pub const fn kind(&self) -> ItemKind {
        self.content.kind
    }

    /// The JSON as it was sent, to the letter.
    #[must_use]
    pub fn json(&self) -> &str {
        self.content.json.get()
    }

    pub(crate) fn raw_json(&self) -> &RawValue {
        &self.content.json
    }

    /// The item as it was read.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope<'static> {
        &self.content.envelope
    }

    /// What the item is about: the name of a request, dependency, event or metric, the text of a trace, the type and
    /// message of an exception.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match &self.envelope().data {
            Data::Request(data) => Cow::Borrowed(&data.name),
            Data::RemoteDependency(data) => Cow::Borrowed(&data.name),
            Data::Exception(data) => match data.exceptions.first() {
                Some(error) => match error.type_name.as_deref() {
                    Some(name) => Cow::Owned(format!("{name}: {}", error.message)),
                    None => Cow::Borrowed(&error.message),
                },
                None => Cow::Borrowed(""),
            },
            Data::Message(data) => Cow::Borrowed(&data.message),
            Data::Event(data) => Cow::Borrowed(&data.name),
            Data::Metric(data) => data
                .metrics
                .first()
                .map_or(Cow::Borrowed(""), |point| Cow::Borrowed(&point.name)),
            Data::Availability(data) => Cow::Borrowed(&data.name),
            Data::PageView(data) => Cow::Borrowed(&data.name),
            Data::PageViewPerf(data) => Cow::Borrowed(&data.page.name),
        }
    }

    /// How long it took, of what has a duration.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let span = match &self.envelope().data {
            Data::Request(data) => data.duration,
            Data::RemoteDependency(data) => data.duration,
            Data::Availability(data) => data.duration,
            Data::PageView(data) => data.duration?,
            Data::PageViewPerf(data) => data.perf_total.or(data.page.duration)?,
            _ => return None,
        };
        Some(span.0)
    }

    /// The response code of a request, the result code of a dependency.
    #[must_use]
    pub fn result_code(&self) -> Option<&str> {
        match &self.envelope().data {
            Data::Request(data) => Some(&data.response_code),
            Data::RemoteDependency(data) => data.result_code.as_deref(),
            _ => None,
        }
    }

    /// Whether it succeeded, of what can fail.
    #[must_use]
    pub fn success(&self) -> Option<bool> {
        match &self.envelope().data {
            Data::Request(data) => Some(data.success),
            Data::RemoteDependency(data) => Some(data.success),
            Data::Availability(data) => Some(data.success),
            _ => None,
        }
    }

    /// The id of the operation that the item belongs to.
    #[must_use]
    pub fn operation_id(&self) -> Option<&str> {
        self.tag(tags::OPERATION_ID)
    }

    /// The name of the operation that the item belongs to.
    #[must_use]
    pub fn operation_name(&self) -> Option<&str> {
        self.tag(tags::OPERATION_NAME)
    }

    /// The value of a context tag, unless it is empty. Keys are in [`azmon_envelope::tags`].
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        let value = self.envelope().tags.get(key)?;
        (!value.is_empty()).then_some(value)
    }
}
