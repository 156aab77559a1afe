//! The remote side: service, host and port.

use std::net::IpAddr;

use crate::replay::expected::Answer;
use crate::replay::input::Attributes;

/// Host attributes with their port attributes, best first.
const PEERS: [(&str, Option<&str>); 6] = [
    ("server.address", Some("server.port")),
    ("net.peer.name", Some("net.peer.port")),
    ("net.peer.ip", Some("net.peer.port")),
    ("network.peer.address", Some("network.peer.port")),
    ("net.sock.peer.addr", Some("net.sock.peer.port")),
    ("peer.address", None),
];

/// The service or host, without a port.
pub(super) fn peer(attributes: &Attributes) -> Answer {
    PEERS.iter().fold(service(attributes), |found, (key, _)| {
        found.or(|| host(attributes, key))
    })
}

/// The service, or host and port.
pub(super) fn peer_and_port(attributes: &Attributes, default: &[u16]) -> Answer {
    PEERS
        .iter()
        .fold(service(attributes), |found, (key, port)| {
            found.or(|| match port {
                Some(port) => host_and_port(attributes, key, port, default),
                None => host(attributes, key),
            })
        })
}

/// `host[:port]`, without a default port.
pub(super) fn host_and_port(
    attributes: &Attributes,
    host_key: &'static str,
    port_key: &'static str,
    default: &[u16],
) -> Answer {
    let host = host(attributes, host_key);
    let port = attributes.text(port_key).as_deref().and_then(port_number);
    match port {
        Some(_) if host.text.is_none() => host,
        Some(port) if default.contains(&port) => host.and_from(&[port_key]),
        Some(_) => {
            let port = Answer::first(attributes, &[port_key]);
            host.map(|host| in_brackets(&host)).join(":", port)
        }
        None => host,
    }
}

/// An IPv6 address in URL syntax.
pub(super) fn in_brackets(host: &str) -> String {
    let address = host.split('%').next().unwrap_or_default().parse();
    match address {
        Ok(IpAddr::V6(_)) => format!("[{host}]"),
        _ => host.to_owned(),
    }
}

pub(super) fn port_number(text: &str) -> Option<u16> {
    let number = text.parse().ok().filter(|number| *number > 0)?;
    text.chars()
        .all(|digit| digit.is_ascii_digit())
        .then_some(number)
}

fn service(attributes: &Attributes) -> Answer {
    Answer::first(attributes, &["peer.service"])
}

fn host(attributes: &Attributes, key: &'static str) -> Answer {
    let host = Answer::first(attributes, &[key]).map(|host| host.trim_end_matches('/').to_owned());
    if host.text.as_deref() == Some("") {
        Answer::none()
    } else {
        host
    }
}
