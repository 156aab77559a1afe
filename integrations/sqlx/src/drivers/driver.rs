use std::borrow::Cow;

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::arguments::IntoArguments;
use sqlx_core::connection::Connection;
use sqlx_core::database::Database;
use sqlx_core::describe::Describe;
use sqlx_core::error::DatabaseError;
use sqlx_core::sql_str::SqlStr;
use sqlx_core::{Either, Result};

use super::{Parts, Target};
use crate::Dialect;

/// A database driver of sqlx that this crate can trace.
///
/// Implemented for `Postgres`, `MySql`, `Sqlite` and `Any`, each behind its Cargo feature. Code that is generic
/// over the database needs this one bound, where plain sqlx needs
/// `for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>` and more.
///
/// For a driver of your own: the four methods without a default call the method of the same name of sqlx's
/// `Executor` on the connection, and do nothing else.
#[diagnostic::on_unimplemented(
    message = "azmon-sqlx cannot trace the database driver `{Self}`",
    note = "turn on the Cargo feature of azmon-sqlx for the driver: `postgres`, `mysql`, `sqlite` or `any`",
    note = "code that is generic over the database needs the bound `DB: azmon_sqlx::Driver`"
)]
pub trait Driver: Database<Arguments: IntoArguments<Self>> {
    /// The product, as OpenTelemetry's `db.system.name` calls it.
    const SYSTEM: &'static str;

    /// How queries are written.
    const DIALECT: Dialect;

    /// Whether the driver makes use of the prepared statement that a query carries, so that it must be kept.
    const KEEPS_STATEMENT: bool = false;

    /// Whether the driver works, and logs, where its futures are polled.
    ///
    /// Then the span of a query is made the current one there.
    const LOGS_IN_PLACE: bool = true;

    /// Whether `fetch_optional` of the driver reads all rows, of which it gives the first.
    ///
    /// Then `UPDATE … RETURNING` is run by `fetch_many`, to the same effect, and all rows are counted.
    const READS_TO_END: bool = false;

    /// Where connections with `options` lead to.
    fn target(options: &<Self::Connection as Connection>::Options) -> Target;

    /// Where connections with `options` lead to, which are those of `url`.
    ///
    /// By default this is [`target`](Self::target). A URL may say more than the options do.
    #[must_use]
    fn target_at(url: &str, options: &<Self::Connection as Connection>::Options) -> Target {
        let _ = url;
        Self::target(options)
    }

    /// The number of rows that a statement has inserted, updated or deleted.
    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// The code by which the database names an error, for `db.response.status_code`.
    ///
    /// By default what [`DatabaseError::code`] says.
    #[must_use]
    fn status_code(error: &dyn DatabaseError) -> Option<Cow<'_, str>> {
        error.code()
    }

    /// Runs `query`, and gives its rows and results as they come.
    fn fetch_many(
        connection: &mut Self::Connection,
        query: Parts<Self>,
    ) -> BoxStream<'_, Result<Either<Self::QueryResult, Self::Row>>>;

    /// Runs `query`, and gives its first row.
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

    /// Asks the database for the types of a statement.
    #[doc(hidden)]
    fn describe(
        connection: &mut Self::Connection,
        sql: SqlStr,
    ) -> BoxFuture<'_, Result<Describe<Self>>>;
}
