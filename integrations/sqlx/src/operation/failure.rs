use std::borrow::Cow;

use opentelemetry::{KeyValue, StringValue};
use sqlx_core::Error;
use sqlx_core::error::{DatabaseError, ErrorKind};

use crate::{QueryText, attributes};

/// The attributes of an error.
#[derive(Debug)]
pub(crate) struct Failure {
    error_type: StringValue,
    status_code: Option<StringValue>,
}

impl Failure {
    /// Classifies `error` by the database's code or, without a code, by the variant of [`Error`].
    pub(crate) fn new(
        error: &Error,
        status_code: fn(&dyn DatabaseError) -> Option<Cow<'_, str>>,
    ) -> Self {
        let code = error.as_database_error().and_then(status_code);
        let status_code = code.map(|code| StringValue::from(code.into_owned()));
        Self {
            error_type: status_code.clone().unwrap_or_else(|| variant(error).into()),
            status_code,
        }
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = KeyValue> {
        let code = self.status_code.clone();
        let code = code.map(|code| KeyValue::new(attributes::STATUS_CODE, code));
        std::iter::once(KeyValue::new(
            attributes::ERROR_TYPE,
            self.error_type.clone(),
        ))
        .chain(code)
    }

    /// The description of the span's status.
    ///
    /// The error's own message may quote data, so it is recorded only with the full text of queries.
    pub(crate) fn description(&self, error: &Error, query_text: QueryText) -> Cow<'static, str> {
        match (query_text, error.as_database_error()) {
            (QueryText::Full, _) => error.to_string().into(),
            (_, Some(error)) => match error.kind() {
                ErrorKind::UniqueViolation => "unique constraint violated".into(),
                ErrorKind::ForeignKeyViolation => "foreign key constraint violated".into(),
                ErrorKind::NotNullViolation => "not-null constraint violated".into(),
                ErrorKind::CheckViolation => "check constraint violated".into(),
                ErrorKind::ExclusionViolation => "exclusion constraint violated".into(),
                _ => "error returned from database".into(),
            },
            (_, None) => self.error_type.to_string().into(),
        }
    }
}

/// The name of the variant of `error`.
fn variant(error: &Error) -> &'static str {
    match error {
        Error::AnyDriverError(_) => "AnyDriverError",
        Error::BeginFailed => "BeginFailed",
        Error::ColumnDecode { .. } => "ColumnDecode",
        Error::ColumnIndexOutOfBounds { .. } => "ColumnIndexOutOfBounds",
        Error::ColumnNotFound(_) => "ColumnNotFound",
        Error::Configuration(_) => "Configuration",
        Error::Database(_) => "Database",
        Error::Decode(_) => "Decode",
        Error::Encode(_) => "Encode",
        Error::InvalidArgument(_) => "InvalidArgument",
        Error::InvalidSavePointStatement => "InvalidSavePointStatement",
        Error::Io(_) => "Io",
        Error::PoolClosed => "PoolClosed",
        Error::PoolTimedOut => "PoolTimedOut",
        Error::Protocol(_) => "Protocol",
        Error::RowNotFound => "RowNotFound",
        Error::Tls(_) => "Tls",
        Error::TypeNotFound { .. } => "TypeNotFound",
        Error::WorkerCrashed => "WorkerCrashed",
        _ => "_OTHER",
    }
}
