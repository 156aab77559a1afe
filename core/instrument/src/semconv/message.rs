//! Rules about a single message: its method, its version and its announced size.

use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, Version};

use crate::intern::RouteNames;

/// The side of an exchange that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The side that sends the request.
    Client,
    /// The side that sends the response.
    Server,
}

/// Replaces an unknown method.
pub const OTHER_METHOD: &str = super::attribute::OTHER;

/// Maximum announced size that is believed: 64 GiB. A caller may announce any size, and sums must not overflow.
pub const MAX_ANNOUNCED_SIZE: u64 = 1 << 36;

/// Maximum length of a method name that is kept, in bytes.
const MAX_METHOD: usize = 32;

/// The known methods: those of the application, in addition to the standard ones or instead of them.
#[derive(Debug, Clone, Default)]
pub struct KnownMethods {
    own: Option<Arc<[&'static str]>>,
    replaces_defaults: bool,
}

impl KnownMethods {
    /// Adds methods such as `PROPFIND`; case matters. A name longer than 32 bytes is skipped.
    pub fn add<I>(&mut self, names: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        /// Names are kept forever, but each once, and only a bounded number of them.
        static NAMES: RouteNames = RouteNames::new();
        let kept = self.own.iter().flat_map(|own| own.iter().copied());
        let new = names.into_iter().filter_map(|name| {
            let name = name.as_ref();
            let is_name = !name.is_empty() && name.len() <= MAX_METHOD;
            Some(NAMES.get("", Some(name).filter(|_| is_name)?)?.name)
        });
        self.own = Some(kept.chain(new).collect());
    }

    /// Makes a list of these methods only, without the standard ones.
    #[must_use]
    pub fn only<I>(names: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let mut methods = Self {
            own: None,
            replaces_defaults: true,
        };
        methods.add(names);
        methods
    }

    /// The name of a method; `None` for an unknown one, which any caller can invent.
    #[must_use]
    #[inline]
    pub fn get(&self, method: &Method) -> Option<&'static str> {
        if self.replaces_defaults {
            return self.get_own(method);
        }
        known_method(method).or_else(|| self.get_own(method))
    }

    fn get_own(&self, method: &Method) -> Option<&'static str> {
        let own = self.own.as_deref()?;
        own.iter().find(|name| **name == method.as_str()).copied()
    }
}

/// The methods of RFC 9110, PATCH of RFC 5789 and QUERY; `None` for any other.
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

/// The method in names of spans: `HTTP` for an unknown one.
#[must_use]
pub fn span_method(known: Option<&'static str>) -> &'static str {
    known.unwrap_or("HTTP")
}

/// The HTTP version, as in `network.protocol.version`.
#[must_use]
pub fn protocol_version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}

/// The size in the header `content-length`, in bytes, if it is [believed](MAX_ANNOUNCED_SIZE).
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(parse_content_length)
}

/// [`content_length`] for the value of the header.
#[must_use]
pub fn parse_content_length(value: &HeaderValue) -> Option<u64> {
    let size = value.to_str().ok()?.parse().ok()?;
    believed_size(size)
}

/// An announced size, if it is [believed](MAX_ANNOUNCED_SIZE).
#[must_use]
pub fn believed_size(size: u64) -> Option<u64> {
    (size <= MAX_ANNOUNCED_SIZE).then_some(size)
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

    #[test]
    fn methods_of_the_application_are_known_too() {
        let propfind = Method::from_bytes(b"PROPFIND").unwrap();
        let mut methods = KnownMethods::default();
        assert_eq!(methods.get(&propfind), None);
        methods.add(["PROPFIND", "MKCOL"]);
        methods.add(["REPORT", "", &"X".repeat(MAX_METHOD + 1)]);
        assert_eq!(methods.get(&propfind), Some("PROPFIND"));
        assert_eq!(methods.get(&Method::GET), Some("GET"));
        let only = KnownMethods::only(["PROPFIND"]);
        assert_eq!(only.get(&propfind), Some("PROPFIND"));
        assert_eq!(only.get(&Method::GET), None);
    }

    #[test]
    fn only_a_sane_size_is_believed() {
        let size = |text: &str| parse_content_length(&text.parse().unwrap());
        assert_eq!(size("0"), Some(0));
        assert_eq!(size("68719476736"), Some(MAX_ANNOUNCED_SIZE));
        for text in [
            "68719476737",
            "18446744073709551613",
            "-1",
            "5, 5",
            "",
            "+ 1",
        ] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
