use regex_lite::Regex;

use super::error::Reason;
use super::form::{self, Form};
use crate::semconv::Authority;

/// Hosts by name, and by port if the entry has one.
#[derive(Debug, Clone)]
pub(super) struct HostPattern {
    name: Name,
    port: Option<u16>,
}

#[derive(Debug, Clone)]
enum Name {
    Exact(Box<str>),
    Regex(Regex),
    /// With the dot in front.
    Suffix(Box<str>),
}

impl HostPattern {
    pub(super) fn parse(entry: &str) -> Result<Self, Reason> {
        let form = Form::of(entry)?;
        if let Form::Regex(pattern) = form {
            let name = Name::Regex(form::regex(pattern, true)?);
            return Ok(Self { name, port: None });
        }
        let (Form::Exact(text) | Form::Glob(text) | Form::Plain(text) | Form::Regex(text)) = form;
        let (host, port) = host_and_port(text)?;
        let name = match form {
            Form::Glob(_) => Name::Regex(form::regex(&form::glob(host, Some('.')), true)?),
            Form::Plain(_) => plain(host)?,
            Form::Exact(_) | Form::Regex(_) => Name::Exact(host.into()),
        };
        Ok(Self { name, port })
    }

    pub(super) fn matches(&self, host: &str, port: Option<u16>) -> bool {
        let is_port = self.port.is_none() || self.port == port;
        is_port
            && match &self.name {
                Name::Exact(name) => name.eq_ignore_ascii_case(host),
                Name::Regex(regex) => regex.is_match(host),
                Name::Suffix(suffix) => ends_with(host, suffix),
            }
    }
}

fn host_and_port(text: &str) -> Result<(&str, Option<u16>), Reason> {
    if text.contains('/') {
        return Err(Reason::Url);
    }
    let authority = Authority::parse(text);
    if authority.host.contains(':') && !text.starts_with('[') || text.ends_with(':') {
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
        None if !host.contains('*') => Ok(Name::Exact(host.into())),
        _ => Err(Reason::Wildcard),
    }
}

/// Something must stand before the suffix.
fn ends_with(host: &str, suffix: &str) -> bool {
    host.len() > suffix.len()
        && host
            .get(host.len() - suffix.len()..)
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}
