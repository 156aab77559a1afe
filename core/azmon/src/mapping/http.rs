//! HTTP, by the stable and the old conventions: method, URL, target.

use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::network::{PEER_SERVICE, bracketed, host_and_port, parse_port, peer_and_port};

pub(super) const METHOD: [Key; 2] = [Key::HttpRequestMethod, Key::HttpMethod];
pub(super) const STATUS: [Key; 2] = [Key::HttpResponseStatusCode, Key::HttpStatusCode];
const FULL_URL: [Key; 2] = [Key::UrlFull, Key::HttpUrl];
const SCHEME: [Key; 2] = [Key::UrlScheme, Key::HttpScheme];
const PATH: [Key; 2] = [Key::UrlPath, Key::HttpTarget];

/// The host of a composed URL: this server, or the other side.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Server,
    Client,
}

/// The URL in the attributes, or else a composed one.
pub(super) fn url<'a>(attributes: &Attributes<'a>, side: Side) -> Option<&'a str> {
    attributes
        .take_first(&FULL_URL)
        .or_else(|| composed_url(attributes, side))
}

/// `METHOD path`, if both are known.
pub(super) fn method_and_path<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    let (method, _) = attributes.peek_first(&METHOD)?;
    let path = match attributes.peek_first(&FULL_URL) {
        Some((key, url)) => path_of_url(url).inspect(|_| attributes.mark_used(key))?,
        None => without_query(attributes.take_first(&PATH)?),
    };
    let method = attributes.take(method)?;
    Some(attributes.arena().concat(&[method, " ", path]))
}

/// The span's name if it is `METHOD template`, which is more useful than the path.
pub(super) fn templated<'a>(attributes: &Attributes<'a>, span_name: &'a str) -> Option<&'a str> {
    let (key, method) = attributes.peek_first(&METHOD)?;
    if !is_templated(span_name, method) {
        return None;
    }
    attributes.mark_used(key);
    Some(span_name)
}

/// Whether the name is `METHOD template`.
pub(super) fn is_templated(name: &str, method: &str) -> bool {
    let rest = name.strip_prefix(method);
    let template = rest.and_then(|rest| rest.strip_prefix(' '));
    template.is_some_and(|template| template.contains('{'))
}

/// `METHOD route`, if both are known.
pub(super) fn method_and_route<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    let (method, _) = attributes.peek_first(&METHOD)?;
    let route = attributes.take(Key::HttpRoute)?;
    let method = attributes.take(method)?;
    Some(attributes.arena().concat(&[method, " ", route]))
}

/// The target of a call: the service, or else host and port, without the default port of the scheme.
pub(super) fn target<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    let full = attributes.peek_first(&FULL_URL);
    let scheme = attributes
        .peek_first(&SCHEME)
        .map(|(_, scheme)| scheme)
        .or_else(|| full.and_then(|(_, url)| scheme_of_url(url)));
    let is_default = |port| is_default_port(port, scheme);
    attributes
        .take_first(&PEER_SERVICE)
        .or_else(|| {
            pair(
                attributes,
                (Key::ServerAddress, Key::ServerPort),
                is_default,
            )
        })
        .or_else(|| {
            let host = attributes.take(Key::HttpHost)?;
            Some(without_default_port(host, is_default))
        })
        .or_else(|| {
            let (key, url) = full?;
            let host = without_default_port(authority_of_url(url)?, is_default);
            attributes.mark_used(key);
            Some(host)
        })
        .or_else(|| peer_and_port(attributes, is_default))
}

fn composed_url<'a>(attributes: &Attributes<'a>, side: Side) -> Option<&'a str> {
    let (scheme_key, scheme) = attributes.peek_first(&SCHEME)?;
    let (path_key, path) = attributes.peek_first(&PATH)?;
    let host = host_for_url(attributes, side, |port| is_default_port(port, Some(scheme)))?;
    attributes.mark_used(scheme_key);
    attributes.mark_used(path_key);
    let query = match path_key {
        Key::UrlPath => attributes.take(Key::UrlQuery),
        _ => None,
    };
    // A query that begins with `?`, or is already part of the path, must not get a second `?`.
    let (path, query) = match query {
        Some(query) => (without_query(path), query.trim_start_matches('?')),
        None => (path, ""),
    };
    let mark = if query.is_empty() { "" } else { "?" };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let parts = [scheme, "://", host, slash, path, mark, query];
    Some(attributes.arena().concat(&parts))
}

fn host_for_url<'a>(
    attributes: &Attributes<'a>,
    side: Side,
    is_default: impl Fn(u16) -> bool,
) -> Option<&'a str> {
    let pairs: &[(Key, Key)] = match side {
        Side::Server => &[
            (Key::HttpServerName, Key::NetHostPort),
            (Key::NetHostName, Key::NetHostPort),
        ],
        Side::Client => &[
            (Key::NetPeerName, Key::NetPeerPort),
            (Key::NetPeerIp, Key::NetPeerPort),
            (Key::NetworkPeerAddress, Key::NetworkPeerPort),
            (Key::NetSockPeerAddr, Key::NetSockPeerPort),
        ],
    };
    let authority = |keys| {
        let host = pair(attributes, keys, &is_default)?;
        Some(bracketed(host, attributes.arena()))
    };
    authority((Key::ServerAddress, Key::ServerPort))
        .or_else(|| attributes.take(Key::HttpHost))
        .or_else(|| pairs.iter().find_map(|keys| authority(*keys)))
}

fn pair<'a>(
    attributes: &Attributes<'a>,
    (host, port): (Key, Key),
    is_default: impl Fn(u16) -> bool,
) -> Option<&'a str> {
    host_and_port(attributes, host, Some(port), is_default)
}

/// Whether the port is the default port of the scheme, or of either scheme if it is unknown.
fn is_default_port(port: u16, scheme: Option<&str>) -> bool {
    match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => port == 80,
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => port == 443,
        Some(_) => false,
        None => port == 80 || port == 443,
    }
}

fn without_default_port(authority: &str, is_default: impl Fn(u16) -> bool) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if parse_port(port).is_some_and(is_default) => host,
        _ => authority,
    }
}

fn scheme_of_url(url: &str) -> Option<&str> {
    url.split_once("://").map(|(scheme, _)| scheme)
}

/// Host and port, without the user and the password before them.
fn authority_of_url(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    Some(host).filter(|host| !host.is_empty())
}

/// The path of an absolute URL, or of a path with or without a query.
fn path_of_url(url: &str) -> Option<&str> {
    match url.split_once("://") {
        Some((_, rest)) => path_after_scheme(rest),
        None => url.starts_with('/').then(|| without_query(url)),
    }
}

/// The path of an absolute URL, of which only the part after `://` is given.
pub(super) fn path_after_scheme(rest: &str) -> Option<&str> {
    let start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let path = without_query(rest.get(start..)?);
    Some(if path.is_empty() { "/" } else { path })
}

fn without_query(path: &str) -> &str {
    path.find(['?', '#'])
        .and_then(|end| path.get(..end))
        .unwrap_or(path)
}
