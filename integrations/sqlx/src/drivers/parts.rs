use std::fmt;

use sqlx_core::arguments::Arguments;
use sqlx_core::database::Database;
use sqlx_core::error::BoxDynError;
use sqlx_core::executor::Execute;
use sqlx_core::sql_str::SqlStr;

use super::Driver;

/// A query taken apart, which a driver runs just as it would the query itself.
///
/// It is one type for all kinds of queries, so that each driver is compiled for it once.
pub struct Parts<DB: Database> {
    sql: SqlStr,
    statement: Option<DB::Statement>,
    arguments: Option<Result<DB::Arguments, BoxDynError>>,
    persistent: bool,
}

impl<DB: Driver> Parts<DB> {
    /// Takes `query` apart.
    ///
    /// A parameter that cannot be encoded is no error yet: running the query makes it one, as in plain sqlx.
    pub fn take<'q>(mut query: impl Execute<'q, DB>) -> Self {
        // The order matters: `persistent` of some queries depends on whether the arguments have been taken.
        let statement = match DB::KEEPS_STATEMENT {
            true => query.statement().cloned(),
            false => None,
        };
        let arguments = query.take_arguments().transpose();
        let persistent = query.persistent();
        Self {
            sql: query.sql(),
            statement,
            arguments,
            persistent,
        }
    }

    pub(crate) fn text(&self) -> &str {
        self.sql.as_str()
    }

    /// Whether the query has arguments.
    pub(crate) fn is_bound(&self) -> bool {
        let arguments = self
            .arguments
            .as_ref()
            .and_then(|arguments| arguments.as_ref().ok());
        arguments.is_some_and(|arguments| arguments.len() > 0)
    }
}

impl<DB: Database> Execute<'_, DB> for Parts<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        self.arguments.take().transpose()
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

impl<DB: Database> fmt::Debug for Parts<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("persistent", &self.persistent)
            .finish_non_exhaustive()
    }
}
