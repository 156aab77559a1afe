use std::sync::Arc;

use super::Dialect;
use super::sanitise::{MAX_TEXT, Sanitiser};
use super::summary::Summariser;
use super::tokens::Tokens;

/// How much of a query's text telemetry carries, as `db.query.text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum QueryText {
    /// All of it, with the literals and comments in it, up to [`MAX_TEXT`] bytes.
    ///
    /// Bound parameters are never part of the text.
    Full,
    /// None of it. The summary remains.
    Off,
    /// Strings and numbers replaced by `?`, comments removed, white space made single, up to [`MAX_TEXT`] bytes.
    #[default]
    Sanitised,
    /// All of it when arguments are bound, as in [`Full`](Self::Full), and otherwise as in
    /// [`Sanitised`](Self::Sanitised).
    ///
    /// This is what OpenTelemetry's conventions say about queries with parameters: what is written into their text
    /// is the program's own. The words of the database about an error are not told, since they may quote
    /// arguments.
    SanitisedUnlessBound,
}

impl QueryText {
    /// How much is told of a query to which arguments are bound, or not.
    pub(crate) fn of_query(self, is_bound: bool) -> Self {
        match self {
            Self::SanitisedUnlessBound if is_bound => Self::Full,
            Self::SanitisedUnlessBound => Self::Sanitised,
            Self::Full | Self::Off | Self::Sanitised => self,
        }
    }
}

/// What telemetry says about the text of a query.
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
    /// Reads `sql`, which need not be valid: any text has a summary, if only an empty one.
    ///
    /// Takes time in proportion to the text, of which the first 64 KiB count at most, and no more than the 8 KiB
    /// that, strings and comments aside, come first.
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

    /// The verbs of the query and the tables that each names, in their order, up to 255 bytes: `SELECT users`.
    ///
    /// Verbs are in upper case, names as they are written. Empty if there is nothing to go by.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The verb of the statement, such as `SELECT` or `CREATE TABLE`, if there is one, or the same for all.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// The table that the query is about, if there is just one.
    #[must_use]
    pub fn collection(&self) -> Option<&str> {
        self.collection.as_deref()
    }

    /// The stored procedure that is called, if it is just one.
    #[must_use]
    pub fn stored_procedure(&self) -> Option<&str> {
        self.procedure.as_deref()
    }

    /// The text that telemetry carries, by the [`QueryText`] that it was read with.
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
