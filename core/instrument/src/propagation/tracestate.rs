use super::traceparent::trim;

pub(super) const MAX_MEMBERS: usize = 32;
const MAX_LENGTH: usize = 256;

/// Whether the headers form a valid list that is not empty.
///
/// A repeated key does not invalidate the list: the sender that adds a key must keep keys unique, and the W3C test
/// suite expects a receiver to propagate the list all the same.
pub(super) fn is_worth_keeping<'a>(headers: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut count = 0;
    for member in members(headers) {
        count += 1;
        if count > MAX_MEMBERS || !is_member(member) {
            return false;
        }
    }
    count > 0
}

/// The members of all headers, without empty ones.
pub(super) fn members<'a>(
    headers: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .flat_map(|header| header.split(|byte| *byte == b','))
        .map(trim)
        .filter(|member| !member.is_empty())
}

/// The part of a member before `=`.
pub(super) fn key(member: &[u8]) -> &[u8] {
    member
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default()
}

fn is_member(member: &[u8]) -> bool {
    let key = key(member);
    let value = member.get(key.len() + 1..);
    is_key(key) && value.is_some_and(is_value)
}

fn is_key(key: &[u8]) -> bool {
    matches!(key, [b'a'..=b'z' | b'0'..=b'9', ..])
        && key.len() <= MAX_LENGTH
        && key.iter().all(
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'),
        )
}

/// A value cannot end in a space here: the space was trimmed with the member.
fn is_value(value: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&value.len())
        && value
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~') && *byte != b'=')
}
