use http::Method;

/// What stands for a method that is not a known one.
pub const OTHER_METHOD: &str = "_OTHER";

/// The methods of RFC 9110, PATCH of RFC 5789 and QUERY; `None` for others, which anyone can make up.
#[must_use]
pub fn known_method(method: &Method) -> Option<&'static str> {
    Some(match method.as_str() {
        "CONNECT" => "CONNECT",
        "DELETE" => "DELETE",
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "POST" => "POST",
        "PUT" => "PUT",
        "QUERY" => "QUERY",
        "TRACE" => "TRACE",
        _ => return None,
    })
}

/// The method as names of spans have it: `HTTP` for one that is not known.
#[must_use]
pub fn span_method(known: Option<&'static str>) -> &'static str {
    known.unwrap_or("HTTP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_known_by_their_case() {
        assert_eq!(known_method(&Method::PATCH), Some("PATCH"));
        let lower = Method::from_bytes(b"get").unwrap();
        assert_eq!(known_method(&lower), None);
        assert_eq!(span_method(known_method(&lower)), "HTTP");
    }
}
