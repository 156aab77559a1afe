//! The conditions under which none of the mapper's rules for rare cases applies to a record.

use opentelemetry::{KeyValue, Value};

use crate::envelope::limits;
use crate::mapping::keys::Key;

/// Maximum number of attributes beside those of the request or call.
const MOST_ATTRIBUTES: usize = 16;
/// Maximum size of these attributes, in bytes. Even if JSON escapes every byte sixfold, the line is within its limit.
pub(super) const MOST_BYTES: usize = 4_096;
/// Maximum length of each text that callers choose, in bytes. Such a text is never truncated.
const MOST_TEXT: usize = 512;

/// Whether a text is not empty and needs no truncation.
pub(super) fn is_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= MOST_TEXT
}

/// Whether a host needs neither brackets, escapes nor truncation.
pub(super) fn is_plain_host(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    is_text(host) && host.bytes().all(is_plain)
}

/// Whether the attributes are few, short and distinct, and no rule reads any of them.
pub(super) fn are_plain(attributes: &[KeyValue]) -> bool {
    if attributes.is_empty() {
        return true;
    }
    let names = || attributes.iter().map(|attribute| attribute.key.as_str());
    let is_another = |(place, name)| !names().take(place).any(|earlier| earlier == name);
    let size = attributes.iter().map(|attribute| {
        let value = match &attribute.value {
            Value::String(text) => text.as_str().len(),
            Value::Bool(_) | Value::I64(_) | Value::F64(_) => 32,
            _ => MOST_BYTES,
        };
        attribute.key.as_str().len() + value
    });
    attributes.len() <= MOST_ATTRIBUTES
        && size.sum::<usize>() < MOST_BYTES
        && names().all(is_plain_name)
        && names().enumerate().all(is_another)
}

/// Attributes with these prefixes may be among those of the request or call.
const OWN: [&str; 7] = [
    "azmon.", "client.", "error.", "http.", "network.", "url.", "_MS.",
];

fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= limits::KEY
        && Key::of(name).is_none()
        && !OWN.iter().any(|own| name.starts_with(own))
}
