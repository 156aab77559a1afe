//! Problems of a single item that Azure would truncate or misinterpret, found at its arrival.

use std::time::{Duration, SystemTime};

use azmon_envelope::{Data, Envelope, limits, tags};

/// A problem of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Check {
    pub(crate) id: CheckId,
    /// The affected field or key.
    pub(crate) detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CheckId {
    /// A field is longer than the service's limit.
    Cut,
    /// The role name is missing: the map cannot place the item.
    NoRole,
    /// The name of a request is a path that contains an id.
    NameWithId,
    /// The time is later than its arrival.
    Future,
    /// The time is more than two days before the arrival: the service rejects the item.
    TooOld,
    /// A property's key is longer than the service's limit: the property is dropped.
    KeyDropped,
    /// An item with this id was received before.
    Duplicate,
    /// A call begins before its caller, or ends after it.
    ClockSkew,
    /// A request without an operation id belongs to no transaction.
    NoOperation,
}

impl CheckId {
    pub(crate) const ALL: [Self; 9] = [
        Self::Cut,
        Self::NoRole,
        Self::NameWithId,
        Self::Future,
        Self::TooOld,
        Self::KeyDropped,
        Self::Duplicate,
        Self::ClockSkew,
        Self::NoOperation,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::NoRole => "no-role",
            Self::NameWithId => "name-with-id",
            Self::Future => "future",
            Self::TooOld => "too-old",
            Self::KeyDropped => "key-dropped",
            Self::Duplicate => "duplicate",
            Self::ClockSkew => "clock-skew",
            Self::NoOperation => "no-operation",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.as_str() == name)
    }
}

/// The tolerated difference between the clocks of machines.
const TOLERANCE: Duration = Duration::from_secs(2);
/// The service rejects older items (48 hours).
const OLDEST: Duration = Duration::from_secs(48 * 3_600);

pub(crate) fn of(envelope: &Envelope<'_>, now: SystemTime) -> Vec<Check> {
    let mut found = Vec::new();
    let mut add = |id, detail: &str| {
        found.push(Check {
            id,
            detail: detail.to_owned(),
        });
    };
    let tag = |key| envelope.tags.get(key).map_or("", |value| value.as_ref());
    let makes_a_node = matches!(
        envelope.data,
        Data::Request(_) | Data::RemoteDependency(_) | Data::PageView(_)
    );
    if makes_a_node && tag(tags::CLOUD_ROLE).is_empty() {
        add(CheckId::NoRole, "ai.cloud.role");
    }
    if let Data::Request(data) = &envelope.data {
        if has_id(&data.name) {
            add(CheckId::NameWithId, "name");
        }
        if tag(tags::OPERATION_ID).bytes().all(|byte| byte == b'0') {
            add(CheckId::NoOperation, "ai.operation.id");
        }
    }
    if envelope.time > now + TOLERANCE {
        add(CheckId::Future, "time");
    } else if now
        .duration_since(envelope.time)
        .is_ok_and(|age| age > OLDEST)
    {
        add(CheckId::TooOld, "time");
    }
    for (key, value) in envelope.tags.iter() {
        if is_longer(value, tags::limit(key)) {
            add(CheckId::Cut, key);
        }
    }
    for (key, value) in envelope.data.properties().iter() {
        if is_longer(key, limits::KEY) {
            add(CheckId::KeyDropped, "customDimensions");
        } else if is_longer(value, limits::property_value(key)) {
            add(CheckId::Cut, "customDimensions");
        }
    }
    for (field, text, limit) in fields(&envelope.data) {
        if is_longer(text, limit) {
            add(CheckId::Cut, field);
        }
    }
    found.dedup();
    found
}

fn fields<'a>(data: &'a Data<'_>) -> Vec<(&'static str, &'a str, usize)> {
    let mut fields = match data {
        Data::Request(data) => vec![
            ("id", &*data.id, limits::ID),
            ("name", &*data.name, limits::NAME),
            ("resultCode", &*data.response_code, limits::SHORT_TEXT),
            ("url", data.url.as_deref().unwrap_or_default(), limits::URL),
        ],
        Data::RemoteDependency(data) => vec![
            ("id", &*data.id, limits::ID),
            ("name", &*data.name, limits::NAME),
            (
                "data",
                data.data.as_deref().unwrap_or_default(),
                limits::DEPENDENCY_DATA,
            ),
            (
                "target",
                data.target.as_deref().unwrap_or_default(),
                limits::SHORT_TEXT,
            ),
        ],
        Data::Message(data) => vec![("message", &*data.message, limits::MESSAGE)],
        Data::Event(data) => vec![("name", &*data.name, limits::EVENT_NAME)],
        Data::Exception(data) => data
            .exceptions
            .iter()
            .map(|cause| ("message", &*cause.message, limits::MESSAGE))
            .collect(),
        Data::PageView(data) => vec![("url", data.url.as_deref().unwrap_or_default(), limits::URL)],
        _ => Vec::new(),
    };
    fields.retain(|(_, text, _)| !text.is_empty());
    fields
}

fn is_longer(text: &str, characters: usize) -> bool {
    text.len() > characters && text.chars().nth(characters).is_some()
}

/// Whether a path segment looks like an id: digits, or hexadecimal digits of a UUID.
fn has_id(name: &str) -> bool {
    let path = name.split_once(' ').map_or(name, |(_, path)| path);
    path.starts_with('/')
        && path.split('/').skip(1).any(|segment| {
            let digits = segment.bytes().filter(u8::is_ascii_digit).count();
            let is_number = !segment.is_empty() && digits == segment.len();
            let is_hexadecimal = segment.len() >= 16
                && digits > 0
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            is_number || is_hexadecimal
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_a_path_is_distinguished_from_a_route() {
        for name in [
            "GET /orders/7",
            "/orders/550e8400-e29b-41d4-a716-446655440000/lines",
        ] {
            assert!(has_id(name), "{name}");
        }
        for name in [
            "GET /orders/{id}",
            "GET /v2/orders",
            "GET /",
            "worker 7",
            "",
            "GET /deadbeefdeadbeef{",
        ] {
            assert!(!has_id(name), "{name}");
        }
    }
}
