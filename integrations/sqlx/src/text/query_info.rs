use std::sync::Arc;

use super::Dialect;
use super::sanitise::{MAX_TEXT, Sanitiser};
use super::summary::Summariser;
use super::tokens::Tokens;

/// How much of a query's text is recorded as `db.query.text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum QueryText {
    /// The whole text with its literals and comments, up to [`MAX_TEXT`] bytes.
    ///
    /// Bound parameters are never part of the text.
    Full,
    /// No text. The summary remains.
    Off,
    /// The text with strings and numbers replaced by `?`, comments removed and white space collapsed, up to
    /// [`MAX_TEXT`] bytes.
    #[default]
    Sanitised,
    /// The whole text, as in [`Full`](Self::Full), if the query has bound arguments; otherwise as in
    /// [`Sanitised`](Self::Sanitised).
    ///
    /// OpenTelemetry's conventions recommend this for parameterised queries, whose text is written by the
    /// programmer. The database's error messages are not recorded, since they may quote arguments.
    SanitisedUnlessBound,
}

impl QueryText {
    /// The setting for a query with or without bound arguments.
    pub(crate) fn of_query(self, is_bound: bool) -> Self {
        match self {
            Self::SanitisedUnlessBound if is_bound => Self::Full,
            Self::SanitisedUnlessBound => Self::Sanitised,
            Self::Full | Self::Off | Self::Sanitised => self,
        }
    }
}

/// The summary, names and recorded text of a query.
///
/// # Examples
/// ```
/// use azmon_sqlx::{Dialect, QueryInfo, QueryText};
///
/// let sql = "SELECT * FROM users JOIN orders USING (id) WHERE name = 'Ada' -- find her";
/// let query = QueryInfo::parse(sql, Dialect::Postgres, QueryText::Sanitised);
/// assert_eq!(query.summary(), "SELECT users orders");
/// assert_eq!(query.operation(), Some("SELECT"));
/// assert_eq!(query.text(), Some("SELECT * FROM users JOIN orders USING (id) WHERE name = ?"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryInfo {
    pub(crate) summary: Arc<str>,
    pub(crate) operation: Option<Arc<str>>,
    pub(crate) collection: Option<Arc<str>>,
    pub(crate) procedure: Option<Arc<str>>,
    pub(crate) text: Option<Arc<str>>,
    pub(crate) changes_rows: bool,
}

impl QueryInfo {
    /// Parses `sql`, which need not be valid. Every text has a summary, which may be empty.
    ///
    /// The time is linear in the length of the text. At most the first 64 KiB are read; reading stops once the
    /// sanitised text has 8 KiB.
    #[must_use]
    pub fn parse(sql: &str, dialect: Dialect, mode: QueryText) -> Self {
        let mut sanitiser = Sanitiser::default();
        let mut summariser = Summariser::new(dialect);
        for token in Tokens::new(sql, dialect) {
            let is_named = summariser.token(token);
            sanitiser.token(token, is_named);
            if sanitiser.is_full() {
                break;
            }
        }
        let summary = summariser.finish();
        let text = match mode {
            QueryText::Full => Some(
                sql.get(..sql.floor_char_boundary(MAX_TEXT))
                    .unwrap_or_default()
                    .into(),
            ),
            QueryText::Off => None,
            QueryText::Sanitised | QueryText::SanitisedUnlessBound => {
                Some(sanitiser.finish().into())
            }
        };
        Self {
            summary: summary.text.into(),
            operation: summary.operation.map(Into::into),
            collection: summary.collection.map(Into::into),
            procedure: summary.procedure.map(Into::into),
            text: text.filter(|text: &Arc<str>| !text.is_empty()),
            changes_rows: summary.changes_rows,
        }
    }

    /// The verbs of the query with the tables that each names, in order, up to 255 bytes: `SELECT users`.
    ///
    /// Verbs are in upper case; names are as written. Empty if no verb was recognised.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The verb, such as `SELECT` or `CREATE TABLE`, if all statements share one.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// The table, if the query uses exactly one.
    #[must_use]
    pub fn collection(&self) -> Option<&str> {
        self.collection.as_deref()
    }

    /// The stored procedure, if the query calls exactly one.
    #[must_use]
    pub fn stored_procedure(&self) -> Option<&str> {
        self.procedure.as_deref()
    }

    /// The recorded text, by the [`QueryText`] setting given to [`parse`](Self::parse).
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Whether every statement of the query inserts, updates or deletes rows.
    #[must_use]
    pub fn changes_rows(&self) -> bool {
        self.changes_rows
    }
}
