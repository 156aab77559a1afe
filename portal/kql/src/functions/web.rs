//! Functions of URLs, addresses and versions.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::text::{long, text};
use super::{Context, Function};
use crate::decimal::Decimal;
use crate::value::Value;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("parse_url", "s -> d", parse_url),
    Function::new("parse_urlquery", "s -> d", |_, args| {
        let query = text(args, 0);
        let query = query.strip_prefix('?').unwrap_or(&query);
        Value::bag(vec![(
            Arc::from("Query Parameters"),
            query_parameters(query),
        )])
    }),
    Function::new("url_encode", "s -> s", |_, args| {
        Value::text(encode(&text(args, 0), true))
    }),
    Function::new("url_encode_component", "s -> s", |_, args| {
        Value::text(encode(&text(args, 0), false))
    }),
    Function::new("url_decode", "s -> s", |_, args| {
        Value::text(decode(&text(args, 0)))
    }),
    Function::new("parse_version", "s -> dec", parse_version),
    Function::new("parse_ipv4", "s -> l", |_, args| {
        address(&text(args, 0)).map_or(Value::Null, |(address, prefix)| {
            Value::Long(i64::from(u32::from(address) & mask(prefix)))
        })
    }),
    Function::new("ipv4_is_private", "s -> b", |_, args| {
        address(&text(args, 0)).map_or(Value::Null, |(address, _)| {
            Value::Bool(address.is_private())
        })
    }),
    Function::new("ipv4_is_match", "s,s,[int] -> b", |_, args| {
        let prefix = long(args, 2)
            .and_then(|prefix| u32::try_from(prefix).ok())
            .unwrap_or(32);
        same_network(&text(args, 0), &text(args, 1), prefix).map_or(Value::Null, Value::Bool)
    }),
    Function::new("ipv4_is_in_range", "s,s -> b", |_, args| {
        same_network(&text(args, 0), &text(args, 1), 32).map_or(Value::Null, Value::Bool)
    }),
    Function::new("ipv4_is_in_any_range", "s,any,any* -> b", |_, args| {
        let address = text(args, 0);
        let mut ranges = args[1..].iter().flat_map(|arg| match arg {
            Value::Array(items) => items.iter().map(Value::to_text).collect::<Vec<_>>(),
            other => vec![other.to_text()],
        });
        Value::Bool(ranges.any(|range| same_network(&address, &range, 32) == Some(true)))
    }),
];

fn mask(prefix: u32) -> u32 {
    u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0)
}

/// An address with an optional prefix, such as `10.0.0.1/8`.
fn address(text: &str) -> Option<(Ipv4Addr, u32)> {
    let (address, prefix) = match text.trim().split_once('/') {
        Some((address, prefix)) => (address, prefix.parse().ok().filter(|prefix| *prefix <= 32)?),
        None => (text.trim(), 32),
    };
    Some((address.parse().ok()?, prefix))
}

fn same_network(one: &str, other: &str, prefix: u32) -> Option<bool> {
    let ((a, a_prefix), (b, b_prefix)) = (address(one)?, address(other)?);
    let mask = mask(prefix.min(a_prefix).min(b_prefix));
    Some(u32::from(a) & mask == u32::from(b) & mask)
}

fn query_parameters(query: &str) -> Value {
    let mut members: Vec<(Arc<str>, Value)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decode(key), Value::text(decode(value)));
        match members.iter_mut().find(|(found, _)| **found == *key) {
            Some(member) => member.1 = value,
            None => members.push((Arc::from(key), value)),
        }
    }
    Value::bag(members)
}

fn parse_url(_: &mut Context, args: &[Value]) -> Value {
    let url = text(args, 0);
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("", rest),
    };
    let (authority, path) = match rest.find('/') {
        _ if scheme.is_empty() && !rest.starts_with("//") => ("", rest),
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (host, ""),
    };
    let member = |key: &str, value: &str| (Arc::from(key), Value::text(value));
    Value::bag(vec![
        member("Scheme", scheme),
        member("Host", host),
        member("Port", port),
        member("Path", path),
        member("Username", name),
        member("Password", password),
        (Arc::from("Query Parameters"), query_parameters(query)),
        member("Fragment", fragment),
    ])
}

fn encode(text: &str, plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' if plus => out.push('+'),
            b'-' | b'_' | b'.' | b'!' | b'*' | b'(' | b')' => out.push(char::from(byte)),
            letter if letter.is_ascii_alphanumeric() => out.push(char::from(letter)),
            other => {
                let _ = write!(out, "%{other:02x}");
            }
        }
    }
    out
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, escaped) {
            (_, Some(code)) => {
                out.push(code);
                at += 2;
            }
            (b'+', None) => out.push(b' '),
            (other, None) => out.push(*other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A version of up to four parts of up to eight digits, as one number with the same order.
fn parse_version(_: &mut Context, args: &[Value]) -> Value {
    const PARTS: usize = 4;
    const PART: i128 = 100_000_000;

    let version = text(args, 0);
    let parts: Vec<&str> = version.split('.').collect();
    if version.is_empty() || parts.len() > PARTS {
        return Value::Null;
    }
    let mut number = 0_i128;
    for index in 0..PARTS {
        let part = match parts.get(index) {
            Some(part) if part.len() <= 8 => part.parse::<u32>().ok(),
            Some(_) => None,
            None => Some(0),
        };
        let Some(part) = part else {
            return Value::Null;
        };
        number = number * PART + i128::from(part);
    }
    Value::Decimal(Decimal::new(number, 0))
}
