//! The fields of an item that filters can compare.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use crate::envelope::{Data, Envelope, ExceptionData, Measurements, SeverityLevel, TimeSpan, tags};

/// Most bytes of a stack that is made of its frames.
const MAX_STACK: usize = 32 * 1_024;

/// A type of telemetry that can be filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveTelemetryType {
    /// Work done for a caller.
    Request,
    /// A call to something else.
    Dependency,
    /// An error.
    Exception,
    /// A log record.
    Trace,
    /// A custom event.
    Event,
}

impl LiveTelemetryType {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Request,
        Self::Dependency,
        Self::Exception,
        Self::Trace,
        Self::Event,
    ];

    /// Its name in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "Request",
            Self::Dependency => "Dependency",
            Self::Exception => "Exception",
            Self::Trace => "Trace",
            Self::Event => "Event",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// That of an item; `None` if live metrics know nothing of it.
    #[must_use]
    pub const fn of(data: &Data<'_>) -> Option<Self> {
        match data {
            Data::Request(_) => Some(Self::Request),
            Data::RemoteDependency(_) => Some(Self::Dependency),
            Data::Exception(_) => Some(Self::Exception),
            Data::Message(_) => Some(Self::Trace),
            Data::Event(_) => Some(Self::Event),
            Data::Metric(_) | Data::Availability(_) | Data::PageView(_) | Data::PageViewPerf(_) => {
                None
            }
        }
    }
}

/// A field of a type that is a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextField {
    Code,
    Command,
    Id,
    Message,
    Name,
    ProblemId,
    Severity,
    Source,
    Stack,
    Tag(&'static str),
    Target,
    Type,
}

impl TextField {
    pub(super) fn of_name(of: LiveTelemetryType, name: &str) -> Option<Self> {
        use LiveTelemetryType::{Dependency, Event, Exception, Request, Trace};
        Some(match (of, name) {
            (Request | Dependency | Event, "Name") => Self::Name,
            (Request | Dependency, "Id") => Self::Id,
            (Request, "Url") | (Dependency, "Data") => Self::Command,
            (Request, "ResponseCode") | (Dependency, "ResultCode") => Self::Code,
            (Request, "Source") => Self::Source,
            (Dependency, "Target") => Self::Target,
            (Dependency, "Type") => Self::Type,
            (Exception, "Exception.Message") | (Trace, "Message") => Self::Message,
            (Exception, "Exception.StackTrace") => Self::Stack,
            (Exception, "ProblemId") => Self::ProblemId,
            (Exception | Trace, "SeverityLevel") => Self::Severity,
            _ => {
                let name = name.strip_prefix("Context.")?;
                let (_, tag) = CONTEXT.iter().find(|(known, _)| *known == name)?;
                Self::Tag(tag)
            }
        })
    }

    /// Those that are looked through for text anywhere in the item.
    pub(super) const fn all(of: LiveTelemetryType) -> &'static [Self] {
        match of {
            LiveTelemetryType::Request => &[Self::Name, Self::Command, Self::Code],
            LiveTelemetryType::Dependency => &[
                Self::Name,
                Self::Command,
                Self::Target,
                Self::Type,
                Self::Code,
            ],
            LiveTelemetryType::Exception => &[Self::Message, Self::Stack],
            LiveTelemetryType::Trace => &[Self::Message],
            LiveTelemetryType::Event => &[Self::Name],
        }
    }
}

/// The names of .NET's `TelemetryContext`.
const CONTEXT: [(&str, &str); 13] = [
    ("Cloud.RoleInstance", tags::CLOUD_ROLE_INSTANCE),
    ("Cloud.RoleName", tags::CLOUD_ROLE),
    ("Component.Version", tags::APPLICATION_VERSION),
    ("Device.Type", tags::DEVICE_TYPE),
    ("Location.Ip", tags::LOCATION_IP),
    ("Operation.Id", tags::OPERATION_ID),
    ("Operation.Name", tags::OPERATION_NAME),
    ("Operation.ParentId", tags::OPERATION_PARENT_ID),
    (
        "Operation.SyntheticSource",
        tags::OPERATION_SYNTHETIC_SOURCE,
    ),
    ("Session.Id", tags::SESSION_ID),
    ("User.AccountId", tags::USER_ACCOUNT_ID),
    ("User.AuthenticatedUserId", tags::USER_AUTH_USER_ID),
    ("User.Id", tags::USER_ID),
];

/// An item as filters see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    envelope: &'a Envelope<'a>,
}

impl<'a> Subject<'a> {
    pub(super) const fn new(envelope: &'a Envelope<'a>) -> Self {
        Self { envelope }
    }

    /// A text that is not there is an empty one.
    pub(super) fn text(self, field: TextField) -> Cow<'a, str> {
        let borrowed = |text: &'a str| Cow::Borrowed(text);
        let optional = |text: &'a Option<Cow<'a, str>>| borrowed(text.as_deref().unwrap_or(""));
        let data = &self.envelope.data;
        match (field, data) {
            (TextField::Tag(tag), _) => {
                let text = self.envelope.tags.get(tag);
                borrowed(text.map(AsRef::as_ref).unwrap_or_default())
            }
            (TextField::Name, Data::Request(data)) => borrowed(&data.name),
            (TextField::Name, Data::RemoteDependency(data)) => borrowed(&data.name),
            (TextField::Name, Data::Event(data)) => borrowed(&data.name),
            (TextField::Id, Data::Request(data)) => borrowed(&data.id),
            (TextField::Id, Data::RemoteDependency(data)) => borrowed(&data.id),
            (TextField::Command, Data::Request(data)) => optional(&data.url),
            (TextField::Command, Data::RemoteDependency(data)) => optional(&data.data),
            (TextField::Code, Data::Request(data)) => borrowed(&data.response_code),
            (TextField::Code, Data::RemoteDependency(data)) => optional(&data.result_code),
            (TextField::Source, Data::Request(data)) => optional(&data.source),
            (TextField::Target, Data::RemoteDependency(data)) => optional(&data.target),
            (TextField::Type, Data::RemoteDependency(data)) => optional(&data.dependency_type),
            (TextField::Message, Data::Message(data)) => borrowed(&data.message),
            (TextField::Message, Data::Exception(data)) => {
                borrowed(data.exceptions.first().map_or("", |error| &error.message))
            }
            (TextField::Stack, Data::Exception(data)) => stack(data),
            (TextField::ProblemId, Data::Exception(data)) => optional(&data.problem_id),
            (TextField::Severity, Data::Exception(data)) => {
                borrowed(data.severity_level.map(severity).unwrap_or_default())
            }
            (TextField::Severity, Data::Message(data)) => {
                borrowed(data.severity_level.map(severity).unwrap_or_default())
            }
            _ => Cow::Borrowed(""),
        }
    }

    pub(super) fn duration(self) -> Option<Duration> {
        match &self.envelope.data {
            Data::Request(data) => Some(data.duration.0),
            Data::RemoteDependency(data) => Some(data.duration.0),
            _ => None,
        }
    }

    pub(super) const fn success(self) -> Option<bool> {
        match &self.envelope.data {
            Data::Request(data) => Some(data.success),
            Data::RemoteDependency(data) => Some(data.success),
            _ => None,
        }
    }

    pub(super) fn dimension(self, key: &str) -> Option<&'a str> {
        let text = self.envelope.data.properties().get(key);
        text.map(AsRef::as_ref)
    }

    pub(super) fn measurement(self, key: &str) -> Option<f64> {
        self.measurements()?.get(key).copied()
    }

    /// Whether `test` holds of some value: texts, code, success, duration, dimensions and measurements.
    pub(super) fn any(self, of: LiveTelemetryType, test: impl Fn(&str) -> bool) -> bool {
        let texts = TextField::all(of).iter();
        texts.map(|field| self.text(*field)).any(|text| test(&text))
            || self
                .success()
                .is_some_and(|success| test(if success { "true" } else { "false" }))
            || self
                .duration()
                .is_some_and(|duration| test(&TimeSpan(duration).to_string()))
            || self
                .envelope
                .data
                .properties()
                .iter()
                .any(|(_, text)| test(text))
            || self
                .measurements()
                .is_some_and(|all| all.iter().any(|(_, number)| test(&number.to_string())))
    }

    const fn measurements(self) -> Option<&'a Measurements<'a>> {
        match &self.envelope.data {
            Data::Request(data) => Some(&data.measurements),
            Data::RemoteDependency(data) => Some(&data.measurements),
            Data::Exception(data) => Some(&data.measurements),
            Data::Message(data) => Some(&data.measurements),
            Data::Event(data) => Some(&data.measurements),
            _ => None,
        }
    }
}

pub(super) const fn severity(level: SeverityLevel) -> &'static str {
    match level {
        SeverityLevel::Verbose => "Verbose",
        SeverityLevel::Information => "Information",
        SeverityLevel::Warning => "Warning",
        SeverityLevel::Error => "Error",
        SeverityLevel::Critical => "Critical",
    }
}

/// The stack as text, or its frames as lines.
pub(super) fn stack<'a>(data: &'a ExceptionData<'_>) -> Cow<'a, str> {
    let Some(error) = data.exceptions.first() else {
        return Cow::Borrowed("");
    };
    if let Some(stack) = &error.stack {
        return Cow::Borrowed(stack);
    }
    let mut text = String::new();
    for frame in &error.parsed_stack {
        if text.len() >= MAX_STACK {
            break;
        }
        let separator = if text.is_empty() { "" } else { "\n" };
        // Writing to memory does not fail.
        let _ = write!(text, "{separator}at {}", frame.method);
        if let Some(file) = &frame.file_name {
            let _ = write!(text, " in {file}:line {}", frame.line.unwrap_or_default());
        }
    }
    Cow::Owned(text)
}
