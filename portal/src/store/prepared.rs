//! The derived data of an item that the writer needs, computed before the writer's thread.

use std::time::SystemTime;

use azmon_envelope::{Data, Envelope, tags};

use crate::store::checks::{self, Check};
use crate::store::said::{
    MetricValue, duration, is_browser, method, metric_value, micros, own_id, problem_id, role,
    user, weight,
};
use crate::store::words;
use crate::store::{ItemKind, NewItem, hash};

/// An item in the form that the writer needs.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The time of the item, in microseconds since 1970.
    pub(super) time: i64,
    pub(super) dims: Dims,
    /// In microseconds.
    pub(super) duration: Option<i64>,
    /// The number of items that it represents.
    pub(super) weight: i64,
    pub(super) keys: Keys,
    /// A hash of the id of the user.
    pub(super) user: Option<i64>,
    pub(super) value: Option<MetricValue>,
    pub(super) problem: Option<ProblemText>,
    pub(super) version: String,
    pub(super) sdk: String,
    /// Identifies the process of an instance, if the client sends it.
    pub(super) process: String,
    pub(super) json: Box<str>,
    /// The distinct words for the full-text index.
    pub(super) words: String,
    pub(super) checks: Vec<Check>,
}

/// Hashes that connect the items of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    /// Hash of the operation's id.
    pub(super) operation: Option<i64>,
    /// Hash of the operation's and the item's ids.
    pub(super) span: Option<i64>,
    /// Hash of the operation's and the parent's ids.
    pub(super) parent: Option<i64>,
}

impl Keys {
    pub(super) fn of(envelope: &Envelope<'_>) -> Self {
        let tag = |key| envelope.tags.get(key).map_or("", |value| value.as_ref());
        let operation_id = tag(tags::OPERATION_ID);
        let operation = (!is_blank(operation_id)).then_some(operation_id);
        let key = |id: &str| {
            let operation = operation?;
            (!is_blank(id)).then(|| hash::stable(&[operation, hash::span_id(id)]))
        };
        Self {
            operation: operation.map(|id| hash::stable(&[id])),
            span: own_id(&envelope.data).and_then(key),
            parent: key(tag(tags::OPERATION_PARENT_ID)),
        }
    }
}

/// The dimensions of a series.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dims {
    pub(crate) app: String,
    pub(crate) kind: SeriesKind,
    pub(crate) role: String,
    pub(crate) instance: String,
    pub(crate) name: String,
    /// The operation of a dependency or exception.
    pub(crate) operation: String,
    pub(crate) target: String,
    /// Dependency type, exception type or metric namespace.
    pub(crate) type_name: String,
    /// Result code, or the severity of a trace or exception.
    pub(crate) result: String,
    pub(crate) success: Option<bool>,
    pub(crate) is_browser: bool,
}

/// Items, and the two sides of a call between roles of which both ends arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SeriesKind {
    Item(ItemKind),
    /// Durations that the callers measured: `role` calls `instance`, through `type_name` and `target`.
    EdgeCaller,
    /// Durations that the callees measured.
    EdgeCallee,
}

impl SeriesKind {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Item(kind) => kind.code(),
            Self::EdgeCaller => 101,
            Self::EdgeCallee => 102,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            101 => Some(Self::EdgeCaller),
            102 => Some(Self::EdgeCallee),
            _ => ItemKind::from_code(code).map(Self::Item),
        }
    }
}

#[derive(Debug)]
pub(super) struct ProblemText {
    pub(super) message: String,
    pub(super) method: String,
}

/// The maximum length of a dimension's text, in characters, to keep the dictionary small.
const MAX_DIMENSION: usize = 300;
/// The maximum length of a problem's stored message, in characters.
const MAX_MESSAGE: usize = 1_000;

impl Prepared {
    pub(super) fn new(item: NewItem, now: SystemTime) -> Self {
        let kind = item.kind();
        let envelope = item.envelope();
        let tag = |key| envelope.tags.get(key).map_or("", |value| value.as_ref());
        let properties = envelope.data.properties();
        let property = |key| properties.get(key).map_or("", |value| value.as_ref());
        let user = user(envelope).map(|(_, id)| hash::stable(&[id]));
        let problem = match &envelope.data {
            Data::Exception(data) => Some(ProblemText {
                message: cut(
                    data.exceptions.first().map_or("", |cause| &cause.message),
                    MAX_MESSAGE,
                ),
                method: cut(&method(envelope), MAX_DIMENSION),
            }),
            _ => None,
        };
        let prepared = Self {
            time: micros(envelope.time),
            duration: duration(envelope),
            weight: weight(envelope.sample_rate),
            keys: Keys::of(envelope),
            user,
            value: metric_value(&envelope.data),
            problem,
            version: cut(tag(tags::APPLICATION_VERSION), MAX_DIMENSION),
            sdk: cut(tag(tags::INTERNAL_SDK_VERSION), MAX_DIMENSION),
            process: cut(
                [
                    item.process().unwrap_or_default(),
                    property("process.pid"),
                    property("service.instance.id"),
                ]
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
                MAX_DIMENSION,
            ),
            words: words::of(envelope),
            checks: checks::of(envelope, now),
            dims: dims(kind, envelope),
            json: Box::default(),
        };
        Self {
            json: item.into_json().into(),
            ..prepared
        }
    }
}

/// Prepares items as for writing, and returns the JSON that would be written.
pub(crate) fn prepare(items: Vec<NewItem>, now: SystemTime) -> impl Iterator<Item = Box<str>> {
    items
        .into_iter()
        .map(move |item| Prepared::new(item, now).json)
}

fn dims(kind: ItemKind, envelope: &Envelope<'_>) -> Dims {
    let tag = |key| envelope.tags.get(key).map_or("", |value| value.as_ref());
    let is_browser = is_browser(envelope);
    let mut dims = Dims {
        app: cut(&envelope.i_key, MAX_DIMENSION),
        kind: SeriesKind::Item(kind),
        role: cut(&role(envelope, is_browser), MAX_DIMENSION),
        // A browser's instance is its session; thousands of sessions would be useless as instances.
        instance: if is_browser {
            String::new()
        } else {
            cut(tag(tags::CLOUD_ROLE_INSTANCE), MAX_DIMENSION)
        },
        name: String::new(),
        operation: String::new(),
        target: String::new(),
        type_name: String::new(),
        result: String::new(),
        success: None,
        is_browser,
    };
    let operation_name = tag(tags::OPERATION_NAME);
    let text = |text: &Option<std::borrow::Cow<'_, str>>| {
        cut(text.as_deref().unwrap_or_default(), MAX_DIMENSION)
    };
    match &envelope.data {
        Data::Request(data) => {
            let name = if data.name.is_empty() {
                operation_name
            } else {
                &data.name
            };
            dims.name = cut(name, MAX_DIMENSION);
            dims.result = cut(&data.response_code, 64);
            dims.success = Some(data.success);
        }
        Data::RemoteDependency(data) => {
            dims.name = cut(&data.name, MAX_DIMENSION);
            dims.operation = cut(operation_name, MAX_DIMENSION);
            dims.target = text(&data.target);
            dims.type_name = text(&data.dependency_type);
            dims.result = cut(data.result_code.as_deref().unwrap_or_default(), 64);
            dims.success = Some(data.success);
        }
        Data::Exception(data) => {
            dims.name = cut(&problem_id(envelope), MAX_DIMENSION);
            let cause = data.exceptions.first();
            dims.type_name = cause.map_or(String::new(), |cause| text(&cause.type_name));
            dims.result = data
                .severity_level
                .map_or(String::new(), |level| (level as u8).to_string());
            dims.operation = cut(operation_name, MAX_DIMENSION);
        }
        Data::Message(data) => {
            dims.result = data
                .severity_level
                .map_or(String::new(), |level| (level as u8).to_string());
        }
        Data::Event(data) => dims.name = cut(&data.name, MAX_DIMENSION),
        Data::Metric(data) => {
            if let Some(point) = data.metrics.first() {
                dims.name = cut(&point.name, MAX_DIMENSION);
                dims.type_name = text(&point.namespace);
            }
        }
        Data::Availability(data) => {
            dims.name = cut(&data.name, MAX_DIMENSION);
            dims.target = text(&data.run_location);
            dims.success = Some(data.success);
        }
        Data::PageView(data) => dims.name = cut(&data.name, MAX_DIMENSION),
        Data::PageViewPerf(data) => dims.name = cut(&data.page.name, MAX_DIMENSION),
    }
    dims
}

/// Whether an id is empty or consists of zeros, which clients write without a trace.
fn is_blank(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// At most this many characters, trimmed of control characters.
fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text.to_owned(),
    }
}
