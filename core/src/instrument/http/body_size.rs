use http::HeaderMap;
use http::header::CONTENT_LENGTH;

/// The size that the header `content-length` announces, in bytes.
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
