use std::net::IpAddr;

use azmon_instrument::http::Authority;
use http::{HeaderName, header::FORWARDED};

use crate::RequestHead;

/// What proxies say of the request that they were sent: the first entry of `forwarded` (RFC 7239), else of
/// the `x-forwarded-…` headers. All of it is empty unless it is trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Forwarded<'a> {
    pub(super) client: Option<(IpAddr, Option<u16>)>,
    pub(super) host: Option<&'a str>,
    pub(super) scheme: Option<&'static str>,
}

impl<'a> Forwarded<'a> {
    pub(super) fn of(request: &RequestHead<'a>) -> Self {
        match request.header(&FORWARDED) {
            Some(header) => Self::from_standard(header),
            None => Self {
                client: first(request, "x-forwarded-for").and_then(node),
                host: first(request, "x-forwarded-host"),
                scheme: first(request, "x-forwarded-proto").and_then(scheme),
            },
        }
    }

    fn from_standard(header: &'a str) -> Self {
        let mut forwarded = Self::default();
        let entry = header.split(',').next().unwrap_or_default();
        for pair in entry.split(';') {
            let Some((name, value)) = pair.trim().split_once('=') else {
                continue;
            };
            let value = value.trim_matches('"');
            match name.to_ascii_lowercase().as_str() {
                "for" => forwarded.client = node(value),
                "host" => forwarded.host = Some(value),
                "proto" => forwarded.scheme = scheme(value),
                _ => {}
            }
        }
        forwarded
    }
}

fn first<'a>(request: &RequestHead<'a>, name: &'static str) -> Option<&'a str> {
    let list = request.header(&HeaderName::from_static(name))?;
    list.split(',').next().map(str::trim)
}

/// A node may also be a name that hides the address.
fn node(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let Authority { host, port } = Authority::parse(text);
    Some((host.parse().ok()?, port))
}

pub(super) fn scheme(text: &str) -> Option<&'static str> {
    if text.eq_ignore_ascii_case("https") {
        Some("https")
    } else if text.eq_ignore_ascii_case("http") {
        Some("http")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn forwarded(headers: &[(&str, &str)]) -> Forwarded<'static> {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = Box::leak(Box::new(request.body(()).unwrap()));
        Forwarded::of(&RequestHead::of(request))
    }

    #[test]
    fn the_first_entry_of_the_standard_header_counts() {
        let expected = Forwarded {
            client: Some(("2001:db8::17".parse().unwrap(), Some(4711))),
            host: Some("shop.example.com"),
            scheme: Some("https"),
        };
        let header = r#"For="[2001:db8::17]:4711";proto=HTTPS;host=shop.example.com, for=10.0.0.1"#;
        assert_eq!(forwarded(&[("forwarded", header)]), expected);
    }

    #[test]
    fn the_other_headers_count_without_it() {
        let headers = [
            ("x-forwarded-for", "192.0.2.1, 10.0.0.1"),
            ("x-forwarded-host", "shop.example.com:8443"),
            ("x-forwarded-proto", "https"),
        ];
        let expected = Forwarded {
            client: Some(("192.0.2.1".parse().unwrap(), None)),
            host: Some("shop.example.com:8443"),
            scheme: Some("https"),
        };
        assert_eq!(forwarded(&headers), expected);
    }

    #[test]
    fn what_has_no_meaning_is_left_out() {
        for header in ["for=unknown", "for=_hidden;proto=gopher", "", ";;=", "for"] {
            assert_eq!(
                forwarded(&[("forwarded", header)]),
                Forwarded::default(),
                "{header}"
            );
        }
    }
}
