//! Custom dimensions of a log record: its attributes, and its other content without a field.

use std::borrow::Cow;

use opentelemetry::logs::Severity;

use crate::envelope::{Properties, SeverityLevel};
use crate::item::LogData;
use crate::mapping::attributes::Attributes;
use crate::mapping::properties;

/// Maximum number of dimensions that are not attributes.
const OWN: usize = 5;

/// The name of every record that `tracing-log` forwards to `tracing`.
const LOG_EVENT: &str = "log event";

/// The level of a severity. Four of OpenTelemetry's severities form one level; all below `Info` form the lowest.
pub(super) fn level(severity: Severity) -> SeverityLevel {
    match severity as u8 {
        ..=8 => SeverityLevel::Verbose,
        9..=12 => SeverityLevel::Information,
        13..=16 => SeverityLevel::Warning,
        17..=20 => SeverityLevel::Error,
        21.. => SeverityLevel::Critical,
    }
}

/// The event's name, unless it is empty or a name that the macros of `tracing` generate.
pub(super) fn event_name(log: &LogData) -> Option<&str> {
    log.event_name
        .as_deref()
        .filter(|name| !name.is_empty() && !is_made_up(name))
}

/// Whether a name has the form `event src/main.rs:12`, or is the name of all records of the `log` crate.
fn is_made_up(name: &str) -> bool {
    let place = name
        .strip_prefix("event ")
        .and_then(|at| at.rsplit_once(':'));
    let is_line = |line: &str| line.bytes().all(|digit| digit.is_ascii_digit());
    place.is_some_and(|(_, line)| is_line(line)) || name == LOG_EVENT
}

/// All content without a field. `text` is the record's text and `event` its event name, if they did not become a field.
///
/// An attribute with the name of one of these takes precedence.
pub(super) fn dimensions<'a>(
    log: &'a LogData,
    attributes: &Attributes<'a>,
    text: Option<&'a str>,
    event: Option<&'a str>,
) -> Properties<'a> {
    let mut properties = properties::unused(attributes, OWN);
    let scope = Some(log.scope.name()).filter(|name| !name.is_empty());
    let target = log.target.as_deref().filter(|name| !name.is_empty());
    let own = [
        ("message", text),
        ("event_name", event),
        // A target in Rust is the name of a logger in other languages.
        ("logger_name", scope.or(target)),
        (
            "target",
            target.filter(|target| scope.is_some_and(|scope| scope != *target)),
        ),
        ("severity_text", severity_text(log)),
    ];
    for (name, value) in own {
        let is_free = || {
            let mut names = attributes.iter().map(|(_, known)| known.key.as_str());
            !names.any(|known| known == name)
        };
        if let Some(value) = value.filter(|_| is_free()) {
            properties.push(name, Cow::Borrowed(value));
        }
    }
    properties
}

/// The severity's text, unless the level has the same meaning: `INFO` is `Information`, but `DEBUG` and `TRACE` are
/// both `Verbose`.
fn severity_text(log: &LogData) -> Option<&str> {
    let text = log
        .severity_text
        .as_deref()
        .filter(|text| !text.is_empty())?;
    let is_said = |severity: Severity| {
        severity >= Severity::Info && text.eq_ignore_ascii_case(severity.name())
    };
    (!log.severity.is_some_and(is_said)).then_some(text)
}
