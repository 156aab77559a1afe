//! Hosts and ports: their attributes, and their form in targets and URLs.

use std::net::Ipv6Addr;

use crate::mapping::Arena;
use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;

/// Attributes that name the other side, with the attribute of its port, in order of preference.
const PEERS: [(Key, Option<Key>); 6] = [
    (Key::ServerAddress, Some(Key::ServerPort)),
    (Key::NetPeerName, Some(Key::NetPeerPort)),
    (Key::NetPeerIp, Some(Key::NetPeerPort)),
    (Key::NetworkPeerAddress, Some(Key::NetworkPeerPort)),
    (Key::NetSockPeerAddr, Some(Key::NetSockPeerPort)),
    (Key::PeerAddress, None),
];

/// Attributes that name the other side as a service, by the stable and the old conventions.
pub(super) const PEER_SERVICE: [Key; 2] = [Key::ServicePeerName, Key::PeerService];

/// The other side without its port: the service's name, else the host.
pub(super) fn peer<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    let host = || {
        PEERS
            .iter()
            .find_map(|(key, _)| take_host(attributes, *key))
    };
    attributes.take_first(&PEER_SERVICE).or_else(host)
}

/// The other side with its port: the service's name, else `host[:port]`.
pub(super) fn peer_and_port<'a>(
    attributes: &Attributes<'a>,
    is_default: impl Fn(u16) -> bool,
) -> Option<&'a str> {
    let host = || {
        PEERS
            .iter()
            .find_map(|(host, port)| host_and_port(attributes, *host, *port, &is_default))
    };
    attributes.take_first(&PEER_SERVICE).or_else(host)
}

/// `host[:port]` from a pair of attributes, without a default port.
pub(super) fn host_and_port<'a>(
    attributes: &Attributes<'a>,
    host: Key,
    port: Option<Key>,
    is_default: impl Fn(u16) -> bool,
) -> Option<&'a str> {
    let host = take_host(attributes, host)?;
    match port.and_then(|key| take_port(attributes, key)) {
        Some((number, text)) if !is_default(number) => {
            let arena = attributes.arena();
            Some(arena.concat(&[bracketed(host, arena), ":", text]))
        }
        _ => Some(host),
    }
}

/// Encloses an IPv6 address in brackets, as a URL or a following port requires.
pub(super) fn bracketed<'a>(host: &'a str, arena: &'a Arena) -> &'a str {
    if is_ipv6(host) {
        arena.concat(&["[", host, "]"])
    } else {
        host
    }
}

/// Parses a port of digits only; port 0 is invalid.
pub(super) fn parse_port(text: &str) -> Option<u16> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = is_digits.then(|| text.parse().ok()).flatten();
    port.filter(|port| *port != 0)
}

/// The host of an attribute; some libraries end it like a URL.
fn take_host<'a>(attributes: &Attributes<'a>, key: Key) -> Option<&'a str> {
    let host = attributes.peek(key)?.trim_end_matches('/');
    if host.is_empty() {
        return None;
    }
    attributes.mark_used(key);
    Some(host)
}

fn take_port<'a>(attributes: &Attributes<'a>, key: Key) -> Option<(u16, &'a str)> {
    let text = attributes.peek(key)?;
    let number = parse_port(text)?;
    attributes.mark_used(key);
    Some((number, text))
}

/// Counting colons spares nearly every host the address parser.
fn is_ipv6(host: &str) -> bool {
    let colons = host.bytes().filter(|byte| *byte == b':').count();
    let address = || {
        host.split_once('%')
            .map_or(host, |(address, _zone)| address)
    };
    colons > 1 && address().parse::<Ipv6Addr>().is_ok()
}
