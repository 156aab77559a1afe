//! The fields of an item by name, for search, filters, splits and counts.

use std::borrow::Cow;

use azmon_envelope::{Data, tags};

use crate::store::{Item, hash, said};

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FieldValue<'a> {
    Text(Cow<'a, str>),
    Number(f64),
}

impl<'a> FieldValue<'a> {
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite()),
            Self::Number(number) => Some(*number),
        }
    }

    fn of(text: &'a str) -> Option<Self> {
        (!text.is_empty()).then_some(Self::Text(Cow::Borrowed(text)))
    }
}

/// A column that every item may have, with its name here and its names in Application Insights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Column {
    ItemType,
    Name,
    Type,
    Target,
    Data,
    Message,
    ResultCode,
    Success,
    Severity,
    Duration,
    Value,
    Role,
    Instance,
    Version,
    Id,
    OperationId,
    OperationName,
    ParentId,
    SyntheticSource,
    User,
    AuthenticatedUser,
    Account,
    Session,
    ProblemId,
    Sdk,
    ClientType,
    ClientOs,
    ClientModel,
    ClientIp,
    IKey,
    Source,
    Location,
}

/// Every column with its names. Responses use the first name.
const COLUMNS: [(Column, &[&str]); 32] = [
    (Column::ItemType, &["itemType", "kind"]),
    (Column::Name, &["name"]),
    (Column::Type, &["type", "DependencyType"]),
    (Column::Target, &["target"]),
    (Column::Data, &["data", "url"]),
    (Column::Message, &["message"]),
    (
        Column::ResultCode,
        &["resultCode", "result", "code", "responseCode"],
    ),
    (Column::Success, &["success"]),
    (Column::Severity, &["severity", "severityLevel"]),
    (Column::Duration, &["duration", "durationMs"]),
    (Column::Value, &["value"]),
    (Column::Role, &["role", "cloud_RoleName", "AppRoleName"]),
    (
        Column::Instance,
        &["instance", "cloud_RoleInstance", "AppRoleInstance"],
    ),
    (
        Column::Version,
        &["version", "application_Version", "AppVersion"],
    ),
    (Column::Id, &["id"]),
    (
        Column::OperationId,
        &["operation_Id", "operation", "OperationId"],
    ),
    (Column::OperationName, &["operation_Name", "OperationName"]),
    (Column::ParentId, &["operation_ParentId", "ParentId"]),
    (
        Column::SyntheticSource,
        &["operation_SyntheticSource", "SyntheticSource"],
    ),
    (Column::User, &["user", "user_Id", "UserId"]),
    (
        Column::AuthenticatedUser,
        &["user_AuthenticatedId", "UserAuthenticatedId"],
    ),
    (Column::Account, &["user_AccountId", "UserAccountId"]),
    (Column::Session, &["session", "session_Id", "SessionId"]),
    (Column::ProblemId, &["problemId", "problem"]),
    (Column::Sdk, &["sdkVersion", "sdk"]),
    (Column::ClientType, &["client_Type", "ClientType"]),
    (Column::ClientOs, &["client_OS", "ClientOS"]),
    (Column::ClientModel, &["client_Model", "ClientModel"]),
    (Column::ClientIp, &["client_IP", "ClientIP"]),
    (Column::IKey, &["iKey"]),
    (Column::Source, &["source"]),
    (Column::Location, &["location"]),
];

const SEVERITIES: [&str; 5] = ["Verbose", "Information", "Warning", "Error", "Critical"];

/// The meaning of a name: a column, or a key of properties and measurements.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Column(Column),
    Key(String),
}

impl Field {
    /// `customDimensions.key` and `customMeasurements.key` are keys, even if a column has the same name.
    pub(crate) fn parse(name: &str) -> Self {
        for prefix in [
            "customDimensions.",
            "customMeasurements.",
            "Properties.",
            "Measurements.",
        ] {
            if let Some(key) = name.strip_prefix(prefix) {
                return Self::Key(key.to_owned());
            }
        }
        let known = COLUMNS
            .iter()
            .find(|(_, names)| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
        match known {
            Some((column, _)) => Self::Column(*column),
            None => Self::Key(name.to_owned()),
        }
    }

    pub(crate) fn of<'a>(&self, item: &'a Item) -> Option<FieldValue<'a>> {
        match self {
            Self::Column(column) => column.of(item),
            Self::Key(key) => custom(item, key),
        }
    }
}

impl Column {
    /// The name in responses.
    pub(crate) fn name(self) -> &'static str {
        COLUMNS
            .iter()
            .find(|(column, _)| *column == self)
            .and_then(|(_, names)| names.first())
            .copied()
            .unwrap_or_default()
    }

    /// The columns that are counted by default.
    pub(crate) const COUNTED: [Self; 18] = [
        Self::ItemType,
        Self::Role,
        Self::Severity,
        Self::ResultCode,
        Self::Success,
        Self::Type,
        Self::Target,
        Self::Name,
        Self::OperationName,
        Self::Instance,
        Self::Version,
        Self::ProblemId,
        Self::User,
        Self::Session,
        Self::Sdk,
        Self::ClientType,
        Self::ClientOs,
        Self::SyntheticSource,
    ];

    pub(crate) fn of(self, item: &Item) -> Option<FieldValue<'_>> {
        let tag = |key| item.tag(key).and_then(FieldValue::of);
        match self {
            Self::ItemType => FieldValue::of(item.kind().as_str()),
            Self::Name => match item.name() {
                Cow::Borrowed(name) => FieldValue::of(name),
                Cow::Owned(name) => Some(FieldValue::Text(Cow::Owned(name))),
            },
            Self::Type => item.type_name().and_then(FieldValue::of),
            Self::Target => item.target().and_then(FieldValue::of),
            Self::Data => item.command().and_then(FieldValue::of),
            Self::Message => message(item),
            Self::ResultCode => item.result_code().and_then(FieldValue::of),
            Self::Success => item
                .success()
                .and_then(|success| FieldValue::of(if success { "True" } else { "False" })),
            Self::Severity => {
                let level = usize::from(item.severity()?);
                FieldValue::of(SEVERITIES.get(level)?)
            }
            Self::Duration => Some(FieldValue::Number(item.duration()?.as_secs_f64() * 1_000.0)),
            Self::Value => Some(FieldValue::Number(
                said::metric_value(&item.envelope().data)?.sum,
            )),
            Self::Role => match item.role() {
                Cow::Borrowed(role) => FieldValue::of(role),
                Cow::Owned(role) => Some(FieldValue::Text(Cow::Owned(role))),
            },
            Self::Instance => tag(tags::CLOUD_ROLE_INSTANCE),
            Self::Version => tag(tags::APPLICATION_VERSION),
            Self::Id => FieldValue::of(hash::span_id(said::own_id(&item.envelope().data)?)),
            Self::OperationId => tag(tags::OPERATION_ID),
            Self::OperationName => tag(tags::OPERATION_NAME),
            Self::ParentId => tag(tags::OPERATION_PARENT_ID),
            Self::SyntheticSource => tag(tags::OPERATION_SYNTHETIC_SOURCE),
            Self::User => tag(tags::USER_ID),
            Self::AuthenticatedUser => tag(tags::USER_AUTH_USER_ID),
            Self::Account => tag(tags::USER_ACCOUNT_ID),
            Self::Session => tag(tags::SESSION_ID),
            Self::ProblemId => {
                let problem = said::problem_id(item.envelope());
                (!problem.is_empty()).then_some(FieldValue::Text(Cow::Owned(problem)))
            }
            Self::Sdk => tag(tags::INTERNAL_SDK_VERSION),
            Self::ClientType => tag(tags::DEVICE_TYPE),
            Self::ClientOs => tag(tags::DEVICE_OS_VERSION),
            Self::ClientModel => tag(tags::DEVICE_MODEL),
            Self::ClientIp => tag(tags::LOCATION_IP),
            Self::IKey => FieldValue::of(&item.envelope().i_key),
            Self::Source => match &item.envelope().data {
                Data::Request(data) => data.source.as_deref().and_then(FieldValue::of),
                _ => None,
            },
            Self::Location => match &item.envelope().data {
                Data::Availability(data) => data.run_location.as_deref().and_then(FieldValue::of),
                _ => None,
            },
        }
    }
}

fn message(item: &Item) -> Option<FieldValue<'_>> {
    match &item.envelope().data {
        Data::Message(data) => FieldValue::of(&data.message),
        Data::Exception(data) => data
            .exceptions
            .first()
            .and_then(|cause| FieldValue::of(&cause.message)),
        Data::Availability(data) => data.message.as_deref().and_then(FieldValue::of),
        _ => None,
    }
}

fn custom<'a>(item: &'a Item, key: &str) -> Option<FieldValue<'a>> {
    let data = &item.envelope().data;
    let property = data
        .properties()
        .get(key)
        .map(|value| FieldValue::Text(Cow::Borrowed(value.as_ref())));
    property.or_else(|| {
        let measurements = item.measurements()?;
        measurements
            .get(key)
            .map(|value| FieldValue::Number(*value))
    })
}

/// The severity of a word or number.
pub(crate) fn severity_of(text: &str) -> Option<f64> {
    let by_name = SEVERITIES.iter().position(|name| {
        name.eq_ignore_ascii_case(text)
            || name
                .get(..4)
                .is_some_and(|short| text.eq_ignore_ascii_case(short))
    });
    by_name
        .map(|level| level as f64)
        .or_else(|| text.parse().ok())
}
