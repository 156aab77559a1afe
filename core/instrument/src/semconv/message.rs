//! Rules about a single message: its method, its version and its announced size.

use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, Version};

use crate::intern::RouteNames;

/// Which side of an exchange is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that sends the request.
    Client,
    /// The one that answers.
    Server,
}

/// Stands for a method that is not a known one.
pub const OTHER_METHOD: &str = super::attribute::OTHER;

/// The largest size that is believed when it is only announced: 64 GiB. A caller may announce anything, and
/// sums of it must not overflow.
pub const MAX_ANNOUNCED_SIZE: u64 = 1 << 36;

/// The longest name of a method that is kept.
const MAX_METHOD: usize = 32;

/// The methods that are known, besides those of the application.
#[derive(Debug, Clone, Default)]
pub struct KnownMethods {
    own: Option<Arc<[&'static str]>>,
    replaces_defaults: bool,
}

impl KnownMethods {
    /// Adds methods such as `PROPFIND`; case matters. A name that is longer than 32 bytes is left out.
    pub fn add<I>(&mut self, names: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        /// Names are kept for ever, but each once, and a bounded number of them.
        static NAMES: RouteNames = RouteNames::new();
        let kept = self.own.iter().flat_map(|own| own.iter().copied());
        let new = names.into_iter().filter_map(|name| {
            let name = name.as_ref();
            let is_name = !name.is_empty() && name.len() <= MAX_METHOD;
            Some(NAMES.get("", Some(name).filter(|_| is_name)?)?.name)
        });
        self.own = Some(kept.chain(new).collect());
    }

    /// Only these methods are known, none by default.
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

    /// The name of a method; `None` for one that is not known, which anyone can make up.
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

/// The methods of RFC 9110, PATCH of RFC 5789 and QUERY; `None` for others.
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

/// The version of HTTP as `network.protocol.version` has it.
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

/// The size that the header `content-length` announces, in bytes, if it is [believed](MAX_ANNOUNCED_SIZE).
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(parse_content_length)
}

/// [`content_length`] of the header's value.
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
