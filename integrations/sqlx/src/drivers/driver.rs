//! The trait of a driver, and the query that a driver runs.

use std::borrow::Cow;
use std::fmt;

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::arguments::{Arguments, IntoArguments};
use sqlx_core::connection::Connection;
use sqlx_core::database::Database;
use sqlx_core::describe::Describe;
use sqlx_core::error::{BoxDynError, DatabaseError};
use sqlx_core::executor::Execute;
use sqlx_core::sql_str::SqlStr;
use sqlx_core::{Either, Result};

use super::Target;
use crate::Dialect;

/// A sqlx database driver that this crate can trace.
///
/// Implemented for `Postgres`, `MySql`, `Sqlite` and `Any`, each behind its Cargo feature. Code that is generic
/// over the database needs only this bound, where plain sqlx needs `for<'c> &'c mut DB::Connection: Executor<'c,
/// Database = DB>` and more.
///
/// To implement it for another driver, call the method of the same name of sqlx's `Executor` on the connection in
/// each of the four methods without a default, and do nothing else.
#[diagnostic::on_unimplemented(
    message = "azmon-sqlx cannot trace the database driver `{Self}`",
    note = "turn on the Cargo feature of azmon-sqlx for the driver: `postgres`, `mysql`, `sqlite` or `any`",
    note = "code that is generic over the database needs the bound `DB: azmon_sqlx::Driver`"
)]
pub trait Driver: Database<Arguments: IntoArguments<Self>> {
    /// The product, as a value of OpenTelemetry's `db.system.name`.
    const SYSTEM: &'static str;

    /// The SQL dialect of queries.
    const DIALECT: Dialect;

    /// Whether the driver uses the prepared statement in a query, so that it must be kept.
    const KEEPS_STATEMENT: bool = false;

    /// Whether the driver works and logs in the task that polls its futures.
    ///
    /// If so, the span of a query is active while its future is polled.
    const LOGS_IN_PLACE: bool = true;

    /// Whether the driver's `fetch_optional` reads all rows, although it returns only the first.
    ///
    /// If so, `UPDATE … RETURNING` runs through `fetch_many`, with the same result, so that all rows are counted.
    const READS_TO_END: bool = false;

    /// The server and database of connections with `options`.
    fn target(options: &<Self::Connection as Connection>::Options) -> Target;

    /// The server and database of connections with `options`, which were parsed from `url`.
    ///
    /// Defaults to [`target`](Self::target). A URL may contain more than the options.
    #[must_use]
    fn target_at(url: &str, options: &<Self::Connection as Connection>::Options) -> Target {
        let _ = url;
        Self::target(options)
    }

    /// The number of rows that a statement has inserted, updated or deleted.
    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// The database's code of an error, for `db.response.status_code`.
    ///
    /// Defaults to [`DatabaseError::code`].
    #[must_use]
    fn status_code(error: &dyn DatabaseError) -> Option<Cow<'_, str>> {
        error.code()
    }

    /// Runs `query`, and returns its rows and results as they arrive.
    fn fetch_many(
        connection: &mut Self::Connection,
        query: Parts<Self>,
    ) -> BoxStream<'_, Result<Either<Self::QueryResult, Self::Row>>>;

    /// Runs `query`, and returns its first row.
    fn fetch_optional(
        connection: &mut Self::Connection,
        query: Parts<Self>,
    ) -> BoxFuture<'_, Result<Option<Self::Row>>>;

    /// Prepares a statement.
    fn prepare_with<'e, 'c: 'e>(
        connection: &'c mut Self::Connection,
        sql: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement>>;

    /// Requests the types of a statement from the database.
    #[doc(hidden)]
    fn describe(
        connection: &mut Self::Connection,
        sql: SqlStr,
    ) -> BoxFuture<'_, Result<Describe<Self>>>;
}

impl Target {
    /// A database of which only the driver is known.
    #[must_use]
    pub fn of<DB: Driver>() -> Self {
        Self::new(DB::SYSTEM, DB::DIALECT)
    }
}

/// The parts of a query. Running the parts has the same effect as running the query itself.
///
/// One type represents all kinds of queries, so that each driver is compiled once for it.
pub struct Parts<DB: Database> {
    sql: SqlStr,
    statement: Option<DB::Statement>,
    arguments: Option<Result<DB::Arguments, BoxDynError>>,
    persistent: bool,
}

impl<DB: Driver> Parts<DB> {
    /// Splits `query` into its parts.
    ///
    /// An argument that cannot be encoded is not an error here: as in plain sqlx, running the query returns the
    /// error.
    pub fn take<'q>(mut query: impl Execute<'q, DB>) -> Self {
        // The order matters: `persistent` of some queries depends on whether the arguments have been taken.
        let statement = if DB::KEEPS_STATEMENT {
            query.statement().cloned()
        } else {
            None
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
