//! HTTP: URL, name and target.

use crate::replay::expected::Answer;
use crate::replay::expected::network::{host_and_port, in_brackets, peer_and_port, port_number};
use crate::replay::input::{Attributes, Input};

pub(super) const METHOD: [&str; 2] = ["http.request.method", "http.method"];
pub(super) const STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];
const FULL: [&str; 2] = ["url.full", "http.url"];
const SCHEME: [&str; 2] = ["url.scheme", "http.scheme"];
const PATH: [&str; 2] = ["url.path", "http.target"];

/// The URL as recorded, or composed.
pub(super) fn url(input: &Input) -> Answer {
    Answer::first(&input.attributes, &FULL).or(|| composed_url(input))
}

/// `scheme://host[:port]path[?query]`, if scheme, host and path are known.
#[must_use]
pub fn composed_url(input: &Input) -> Answer {
    let attributes = &input.attributes;
    let scheme = Answer::first(attributes, &SCHEME);
    let path = Answer::first(attributes, &PATH);
    let query = Answer::first(attributes, &["url.query"]);
    let host = host_of_url(input, default_ports(scheme.text.as_deref()));
    let has_query = path.from == ["url.path"] && query.text.is_some();
    let path = path.map(|path| {
        if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        }
    });
    let path = if has_query {
        let plain = path.map(|path| path.split(['?', '#']).next().unwrap_or_default().to_owned());
        let query = query.map(|query| query.trim_start_matches('?').to_owned());
        let mark = if query.text.as_deref() == Some("") {
            ""
        } else {
            "?"
        };
        plain.join(mark, query)
    } else {
        path
    };
    scheme.join("://", host.join("", path))
}

/// `METHOD path`.
pub(super) fn method_and_path(input: &Input) -> Answer {
    let attributes = &input.attributes;
    let full = Answer::first(attributes, &FULL);
    let path = match &full.text {
        Some(url) => match path_of(url) {
            Some(path) => full.map(|_| path),
            None => Answer::none(),
        },
        None => Answer::first(attributes, &PATH)
            .map(|path| path.split(['?', '#']).next().unwrap_or_default().to_owned()),
    };
    Answer::first(attributes, &METHOD).join(" ", path)
}

/// `METHOD route`.
pub(super) fn method_and_route(input: &Input) -> Answer {
    let route = Answer::first(&input.attributes, &["http.route"]);
    Answer::first(&input.attributes, &METHOD).join(" ", route)
}

/// The target: the first of these that is known.
pub(super) fn target(input: &Input) -> Answer {
    let attributes = &input.attributes;
    let full = Answer::first(attributes, &FULL);
    let parts = full.text.as_deref().and_then(split_url);
    let scheme = Answer::first(attributes, &SCHEME).text;
    let scheme = scheme.or_else(|| Some(parts.as_ref()?.0.clone()));
    let default = default_ports(scheme.as_deref());
    let without_default_port = |host: String| match host.rsplit_once(':') {
        Some((name, port)) if port_number(port).is_some_and(|port| default.contains(&port)) => {
            name.to_owned()
        }
        _ => host,
    };
    Answer::first(attributes, &["peer.service"])
        .or(|| host_and_port(attributes, "server.address", "server.port", default))
        .or(|| Answer::first(attributes, &["http.host"]).map(without_default_port))
        .or(|| match parts {
            Some((_, host, _)) if !host.is_empty() => full.map(|_| without_default_port(host)),
            _ => Answer::none(),
        })
        .or(|| peer_and_port(attributes, default))
}

/// Scheme, host and port without credentials, and path of an absolute URL.
#[must_use]
pub fn split_url(url: &str) -> Option<(String, String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    let path = rest
        .split(['?', '#'])
        .next()
        .filter(|path| !path.is_empty());
    let host = host.rsplit('@').next()?;
    Some((
        scheme.to_owned(),
        host.to_owned(),
        path.unwrap_or("/").to_owned(),
    ))
}

/// The path of an absolute URL, or of a text that starts with a slash.
#[must_use]
pub fn path_of(url: &str) -> Option<String> {
    match split_url(url) {
        Some((_, _, path)) => Some(path),
        None if url.starts_with('/') => url.split(['?', '#']).next().map(str::to_owned),
        None => None,
    }
}

fn host_of_url(input: &Input, default: &[u16]) -> Answer {
    let attributes: &Attributes = &input.attributes;
    let authority = |host: &'static str, port: &'static str| {
        host_and_port(attributes, host, port, default).map(|host| in_brackets(&host))
    };
    let others: &[(&str, &str)] = if input.is_request() {
        &[
            ("http.server_name", "net.host.port"),
            ("net.host.name", "net.host.port"),
        ]
    } else {
        &[
            ("net.peer.name", "net.peer.port"),
            ("net.peer.ip", "net.peer.port"),
            ("network.peer.address", "network.peer.port"),
            ("net.sock.peer.addr", "net.sock.peer.port"),
        ]
    };
    let best =
        authority("server.address", "server.port").or(|| Answer::first(attributes, &["http.host"]));
    others.iter().fold(best, |found, (host, port)| {
        found.or(|| authority(host, port))
    })
}

/// The default ports of a scheme; of an unknown scheme, both.
fn default_ports(scheme: Option<&str>) -> &'static [u16] {
    match scheme.map(str::to_ascii_lowercase).as_deref() {
        Some("http") => &[80],
        Some("https") => &[443],
        Some(_) => &[],
        None => &[80, 443],
    }
}
