use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue};

/// The size that the header `content-length` announces, in bytes.
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(parse_content_length)
}

/// [`content_length`] of the header's value.
#[must_use]
pub fn parse_content_length(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.parse().ok()
}
