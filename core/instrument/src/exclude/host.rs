use std::net::{IpAddr, Ipv6Addr};

use super::error::Reason;
use super::form::{Form, Regex};
use super::glob::Glob;
use crate::semconv::Authority;

/// A pattern of host names, with a port if the entry has one.
#[derive(Debug, Clone)]
pub(super) struct HostPattern {
    name: Name,
    port: Option<u16>,
}

#[derive(Debug, Clone)]
enum Name {
    /// An IP address in any notation.
    Address(IpAddr),
    Exact(Box<str>),
    Glob(Glob),
    Regex(Regex),
    /// The suffix, with its leading dot.
    Suffix(Box<str>),
}

impl HostPattern {
    pub(super) fn parse(entry: &str) -> Result<Self, Reason> {
        let form = Form::of(entry)?;
        if let Form::Regex(pattern) = form {
            let name = Name::Regex(Regex::parse(pattern, true)?);
            return Ok(Self { name, port: None });
        }
        let (Form::Exact(text) | Form::Glob(text) | Form::Plain(text) | Form::Regex(text)) = form;
        let (host, port) = host_and_port(text)?;
        let name = match form {
            Form::Glob(_) => Name::Glob(Glob::parse(host, Some('.'), true)?),
            Form::Plain(_) => plain(host)?,
            Form::Exact(_) | Form::Regex(_) => exact(host),
        };
        Ok(Self { name, port })
    }

    pub(super) fn matches(&self, host: &str, port: Option<u16>) -> bool {
        let is_port = self.port.is_none() || self.port == port;
        is_port
            && match &self.name {
                Name::Address(address) => parse_address(host) == Some(*address),
                Name::Exact(name) => name.eq_ignore_ascii_case(host),
                Name::Glob(glob) => glob.matches(host),
                Name::Regex(regex) => regex.matches(host),
                Name::Suffix(suffix) => ends_with(host, suffix),
            }
    }
}

fn host_and_port(text: &str) -> Result<(&str, Option<u16>), Reason> {
    if text.contains('/') {
        return Err(Reason::Url);
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    let authority = Authority::parse(text);
    let is_address = authority.host.parse::<Ipv6Addr>().is_ok();
    if (authority.host.contains([':', '[', ']']) || text.starts_with('[')) && !is_address {
        return Err(Reason::Port);
    }
    if authority.host.is_empty() {
        return Err(Reason::Empty);
    }
    Ok((authority.host, authority.port))
}

fn plain(host: &str) -> Result<Name, Reason> {
    match host.strip_prefix('*') {
        Some(suffix) if suffix.starts_with('.') && !suffix.contains('*') => {
            Ok(Name::Suffix(suffix.into()))
        }
        None if !host.contains('*') => Ok(exact(host)),
        _ => Err(Reason::Wildcard),
    }
}

fn exact(host: &str) -> Name {
    parse_address(host).map_or_else(|| Name::Exact(host.into()), Name::Address)
}

fn parse_address(host: &str) -> Option<IpAddr> {
    let address: IpAddr = host.parse().ok()?;
    Some(address.to_canonical())
}

/// Whether the host ends with the suffix and has text before it.
fn ends_with(host: &str, suffix: &str) -> bool {
    host.len() > suffix.len()
        && host
            .get(host.len() - suffix.len()..)
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}
