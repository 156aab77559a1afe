use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use azmon_envelope::{Data, Envelope, Measurements, tags};
use serde_json::value::RawValue;

use crate::store::{ItemKind, said};

/// A stored telemetry item.
#[derive(Debug)]
pub struct Item {
    id: u64,
    received: SystemTime,
    content: NewItem,
}

/// An accepted item, before it has an id.
#[derive(Debug)]
pub(crate) struct NewItem {
    kind: ItemKind,
    json: Box<RawValue>,
    envelope: Envelope<'static>,
    /// Identifies the process of an instance, if the resource contains it.
    process: Option<String>,
}

impl NewItem {
    pub(crate) fn new(kind: ItemKind, json: Box<RawValue>, envelope: Envelope<'static>) -> Self {
        Self {
            kind,
            json,
            envelope,
            process: None,
        }
    }

    pub(crate) fn with_process(mut self, process: Option<String>) -> Self {
        self.process = process;
        self
    }

    pub(crate) fn process(&self) -> Option<&str> {
        self.process.as_deref()
    }

    pub(crate) const fn kind(&self) -> ItemKind {
        self.kind
    }

    pub(crate) const fn envelope(&self) -> &Envelope<'static> {
        &self.envelope
    }

    /// The size of its JSON, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.json.get().len()
    }

    pub(crate) fn into_json(self) -> Box<RawValue> {
        self.json
    }
}

impl Item {
    pub(crate) fn new(id: u64, received: SystemTime, content: NewItem) -> Self {
        Self {
            id,
            received,
            content,
        }
    }

    /// The id of the item: 1 for the first item that the portal received. Ids are never reused.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The time of arrival. The time of the event is the envelope's `time`.
    #[must_use]
    pub const fn received(&self) -> SystemTime {
        self.received
    }

    /// The kind of the item.
    #[must_use]
    pub const fn kind(&self) -> ItemKind {
        self.content.kind
    }

    /// The JSON exactly as it was sent.
    #[must_use]
    pub fn json(&self) -> &str {
        self.content.json.get()
    }

    pub(crate) fn raw_json(&self) -> &RawValue {
        &self.content.json
    }

    /// Parses a stored item.
    pub(crate) fn read(id: i64, received: i64, json: String) -> serde_json::Result<Self> {
        let envelope: Envelope<'static> = serde_json::from_str(&json)?;
        let kind = ItemKind::of(&envelope.data)
            .ok_or_else(|| serde::de::Error::custom("the kind is not known"))?;
        let content = NewItem::new(kind, RawValue::from_string(json)?, envelope);
        let received =
            SystemTime::UNIX_EPOCH + Duration::from_micros(received.max(0).cast_unsigned());
        Ok(Self::new(id.cast_unsigned(), received, content))
    }

    /// The parsed item.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope<'static> {
        &self.content.envelope
    }

    /// The name of a request, dependency, event or metric; the text of a trace; the type and message of an
    /// exception.
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

    /// The duration, for kinds that have one.
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

    /// Whether the item succeeded, for kinds that can fail.
    #[must_use]
    pub fn success(&self) -> Option<bool> {
        match &self.envelope().data {
            Data::Request(data) => Some(data.success),
            Data::RemoteDependency(data) => Some(data.success),
            Data::Availability(data) => Some(data.success),
            _ => None,
        }
    }

    /// Dependency type, exception type, or namespace of a metric.
    #[must_use]
    pub fn type_name(&self) -> Option<&str> {
        match &self.envelope().data {
            Data::RemoteDependency(data) => data.dependency_type.as_deref(),
            Data::Exception(data) => data.exceptions.first()?.type_name.as_deref(),
            Data::Metric(data) => data.metrics.first()?.namespace.as_deref(),
            _ => None,
        }
    }

    /// The target of a dependency.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match &self.envelope().data {
            Data::RemoteDependency(data) => data.target.as_deref(),
            _ => None,
        }
    }

    /// The command of a dependency, or the URL of a request or page view.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        match &self.envelope().data {
            Data::Request(data) => data.url.as_deref(),
            Data::RemoteDependency(data) => data.data.as_deref(),
            Data::PageView(data) => data.url.as_deref(),
            Data::PageViewPerf(data) => data.page.url.as_deref(),
            _ => None,
        }
    }

    /// The severity of a trace or exception: 0 verbose, 1 information, 2 warning, 3 error, 4 critical.
    #[must_use]
    pub fn severity(&self) -> Option<u8> {
        match &self.envelope().data {
            Data::Message(data) => data.severity_level.map(|level| level as u8),
            Data::Exception(data) => data.severity_level.map(|level| level as u8),
            _ => None,
        }
    }

    /// The number of items that this item represents: 100 divided by its `sampleRate`, rounded.
    #[must_use]
    pub fn count(&self) -> u64 {
        said::weight(self.envelope().sample_rate).cast_unsigned()
    }

    /// The role name. A page without a role name has its origin instead.
    #[must_use]
    pub fn role(&self) -> Cow<'_, str> {
        match self.tag(tags::CLOUD_ROLE) {
            Some(role) => Cow::Borrowed(role),
            None => Cow::Owned(said::role(self.envelope(), self.is_browser())),
        }
    }

    pub(crate) fn is_browser(&self) -> bool {
        said::is_browser(self.envelope())
    }

    /// The value of a custom dimension.
    #[must_use]
    pub fn property(&self, key: &str) -> Option<&str> {
        self.envelope()
            .data
            .properties()
            .get(key)
            .map(AsRef::as_ref)
    }

    /// The value of a custom measurement.
    #[must_use]
    pub fn measurement(&self, key: &str) -> Option<f64> {
        self.measurements()?.get(key).copied()
    }

    pub(crate) fn measurements(&self) -> Option<&Measurements<'static>> {
        Some(match &self.envelope().data {
            Data::Request(data) => &data.measurements,
            Data::RemoteDependency(data) => &data.measurements,
            Data::Exception(data) => &data.measurements,
            Data::Message(data) => &data.measurements,
            Data::Event(data) => &data.measurements,
            Data::Availability(data) => &data.measurements,
            Data::PageView(data) => &data.measurements,
            Data::PageViewPerf(data) => &data.page.measurements,
            Data::Metric(_) => return None,
        })
    }

    /// The operation id.
    #[must_use]
    pub fn operation_id(&self) -> Option<&str> {
        self.tag(tags::OPERATION_ID)
    }

    /// The operation name.
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
