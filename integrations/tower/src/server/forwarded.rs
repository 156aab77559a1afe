//! Address, host and scheme of a request as trusted proxies report them.

use std::net::IpAddr;

use azmon_instrument::http::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies in front of a server whose headers are trusted.
///
/// Only one family of headers is read. A proxy passes on the headers that it does not know, so a client can forge
/// the other family. Each proxy appends its entry at the right, so entries are counted from the right: with two
/// proxies, the second entry from the right is the one that the outer proxy wrote. A client can forge every entry
/// to the left of it. If a list is shorter than the number of proxies, its first entry is used.
///
/// `x-forwarded-host` and `x-forwarded-proto` are counted in the same way. A proxy that does not set them must
/// remove them.
///
/// # Examples
///
/// ```
/// use azmon_tower::ServerLayer;
/// use azmon_tower::server::TrustedProxies;
///
/// // Azure Front Door, and the ingress of the cluster.
/// let layer = ServerLayer::new().trusted_proxies(TrustedProxies::x_forwarded(2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxies {
    family: Family,
    count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Standard,
    XForwarded,
}

impl TrustedProxies {
    /// Proxies that write `x-forwarded-for`, `x-forwarded-host` and `x-forwarded-proto`. `count` is the number of
    /// proxies that a request passes; 0 counts as 1.
    #[must_use]
    pub const fn x_forwarded(count: usize) -> Self {
        Self {
            family: Family::XForwarded,
            count,
        }
    }

    /// Proxies that write `forwarded` (RFC 7239). `count` is the number of proxies that a request passes; 0
    /// counts as 1.
    #[must_use]
    pub const fn forwarded(count: usize) -> Self {
        Self {
            family: Family::Standard,
            count,
        }
    }

    /// The entry that the outermost trusted proxy wrote, in a list that may span several headers.
    fn entry(self, headers: &HeaderMap, name: HeaderName) -> Option<&str> {
        let lines = headers.get_all(name).iter().rev();
        let entries = lines
            .filter_map(text)
            .flat_map(|line| split_from_right(line, b','))
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        entries.take(self.count.max(1)).last()
    }
}

/// The trusted part of the forwarded headers. Every field is empty without trusted proxies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Forwarded<'a> {
    pub(super) client: Option<(IpAddr, Option<u16>)>,
    pub(super) host: Option<&'a str>,
    pub(super) scheme: Option<&'static str>,
}

impl<'a> Forwarded<'a> {
    pub(super) fn of(headers: &'a HeaderMap, proxies: Option<TrustedProxies>) -> Self {
        let Some(proxies) = proxies else {
            return Self::default();
        };
        match proxies.family {
            Family::Standard => proxies
                .entry(headers, FORWARDED)
                .map(Self::from_standard)
                .unwrap_or_default(),
            Family::XForwarded => Self {
                client: proxies.entry(headers, X_FORWARDED_FOR).and_then(node),
                host: proxies.entry(headers, X_FORWARDED_HOST),
                scheme: proxies.entry(headers, X_FORWARDED_PROTO).and_then(scheme),
            },
        }
    }

    fn from_standard(entry: &'a str) -> Self {
        let mut forwarded = Self::default();
        for pair in split_from_right(entry, b';') {
            let Some((name, value)) = pair.trim().split_once('=') else {
                continue;
            };
            let value = unquoted(value);
            if name.eq_ignore_ascii_case("for") {
                forwarded.client = node(value);
            } else if name.eq_ignore_ascii_case("host") {
                forwarded.host = Some(value).filter(|host| !host.is_empty());
            } else if name.eq_ignore_ascii_case("proto") {
                forwarded.scheme = scheme(value);
            }
        }
        forwarded
    }
}

/// Splits at separators outside quotes, from the right, so that a quote forged at the left cannot hide the
/// entries of proxies.
fn split_from_right(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let mut is_quoted = false;
        let place = whole.bytes().rposition(|byte| {
            is_quoted ^= byte == b'"';
            byte == separator && !is_quoted
        });
        let Some(place) = place else {
            rest = None;
            return Some(whole);
        };
        rest = whole.get(..place);
        whole.get(place + 1..)
    })
}

/// Removes the surrounding quotes. A value with escapes is returned unchanged: no host, address or scheme
/// contains escapes.
fn unquoted(value: &str) -> &str {
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    inner.unwrap_or(value).trim()
}

/// Parses an address and port. `None` for an obfuscated node name.
fn node(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(address) = text.parse() {
        return Some((address, None));
    }
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

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: TrustedProxies = TrustedProxies::forwarded(1);
    const X_FORWARDED: TrustedProxies = TrustedProxies::x_forwarded(1);

    fn forwarded(proxies: TrustedProxies, headers: &[(&'static str, &str)]) -> Forwarded<'static> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Forwarded::of(Box::leak(Box::new(map)), Some(proxies))
    }

    fn client(proxies: TrustedProxies, headers: &[(&'static str, &str)]) -> Option<String> {
        let (address, _) = forwarded(proxies, headers).client?;
        Some(address.to_string())
    }

    #[test]
    fn an_entry_of_the_standard_header_is_read() {
        let expected = Forwarded {
            client: Some(("2001:db8::17".parse().unwrap(), Some(4711))),
            host: Some("shop.example.com"),
            scheme: Some("https"),
        };
        let header = r#"for=10.0.0.1, For="[2001:db8::17]:4711";proto=HTTPS;host=shop.example.com"#;
        assert_eq!(forwarded(STANDARD, &[("forwarded", header)]), expected);
    }

    #[test]
    fn entries_are_counted_from_the_right() {
        let headers = [
            ("x-forwarded-for", "6.6.6.6, 192.0.2.1"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-host", "evil.test, shop.test, inner.test"),
            ("x-forwarded-proto", "http, https, http"),
        ];
        for (count, address) in [
            (0, "10.0.0.1"),
            (1, "10.0.0.1"),
            (2, "192.0.2.1"),
            (9, "6.6.6.6"),
        ] {
            let proxies = TrustedProxies::x_forwarded(count);
            assert_eq!(
                client(proxies, &headers).as_deref(),
                Some(address),
                "{count}"
            );
        }
        let outer = forwarded(TrustedProxies::x_forwarded(2), &headers);
        assert_eq!(
            (outer.host, outer.scheme),
            (Some("shop.test"), Some("https"))
        );
        let standard = [
            ("forwarded", "for=6.6.6.6"),
            ("forwarded", "for=192.0.2.1,for=10.0.0.1"),
        ];
        let two = client(TrustedProxies::forwarded(2), &standard);
        assert_eq!(two.as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn only_one_family_counts() {
        let headers = [
            ("forwarded", "for=6.6.6.6;host=evil.test"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        assert_eq!(client(X_FORWARDED, &headers).as_deref(), Some("192.0.2.1"));
        assert_eq!(forwarded(X_FORWARDED, &headers).host, None);
        assert_eq!(client(STANDARD, &headers).as_deref(), Some("6.6.6.6"));
        assert_eq!(forwarded(STANDARD, &headers[1..]), Forwarded::default());
    }

    #[test]
    fn quotes_hide_separators_and_a_client_cannot_open_one_for_the_proxies() {
        let quoted = r#"for="[2001:db8::1]:47,11;x";by="a,b;c";host="shop.test""#;
        assert_eq!(
            forwarded(STANDARD, &[("forwarded", quoted)]).host,
            Some("shop.test")
        );
        let open = r#"for="6.6.6.6;host=evil.test, for=192.0.2.1;host=shop.test"#;
        let read = forwarded(STANDARD, &[("forwarded", open)]);
        assert_eq!(read.host, Some("shop.test"));
        assert_eq!(
            client(STANDARD, &[("forwarded", open)]).as_deref(),
            Some("192.0.2.1")
        );
    }

    #[test]
    fn an_empty_entry_says_nothing() {
        for header in ["", " ", ",", ", ,"] {
            let headers = [("x-forwarded-host", header), ("x-forwarded-for", header)];
            assert_eq!(forwarded(X_FORWARDED, &headers), Forwarded::default());
        }
        let headers = [("forwarded", r#"host="""#)];
        assert_eq!(forwarded(STANDARD, &headers), Forwarded::default());
    }

    #[test]
    fn what_has_no_meaning_is_left_out() {
        for header in [
            "for=unknown",
            "for=_hidden;proto=gopher",
            "",
            ";;=",
            "for",
            "by=x",
        ] {
            assert_eq!(
                forwarded(STANDARD, &[("forwarded", header)]),
                Forwarded::default(),
                "{header}"
            );
        }
        assert_eq!(
            client(X_FORWARDED, &[("x-forwarded-for", "2001:db8::1")]).as_deref(),
            Some("2001:db8::1")
        );
    }
}
