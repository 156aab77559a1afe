use std::time::Duration;

use log::LevelFilter;
use sqlx_core::Result;
use sqlx_core::connection;

use crate::{Connection, Driver};

/// The options for opening connections: sqlx's [`ConnectOptions`](connection::ConnectOptions), with traced
/// connections.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sqlx::Result<()> {
/// use azmon_sqlx::{ConnectOptions, SqliteConnection}; // was: use sqlx::{ConnectOptions, SqliteConnection};
/// use sqlx::sqlite::SqliteConnectOptions;
///
/// let options: SqliteConnectOptions = "sqlite::memory:".parse()?;
/// let mut connection: SqliteConnection = options.disable_statement_logging().connect().await?;
/// sqlx::query("SELECT 1").execute(&mut connection).await?; // span SELECT
/// # Ok(())
/// # }
/// ```
pub trait ConnectOptions: connection::ConnectOptions {
    /// The driver that connects.
    type Database: Driver;

    /// Opens a connection that belongs to no pool.
    ///
    /// # Errors
    /// If the database cannot be reached.
    fn connect(&self) -> impl Future<Output = Result<Connection<Self::Database>>> + Send;

    /// Sets the level at which sqlx logs statements.
    #[must_use]
    fn log_statements(self, level: LevelFilter) -> Self {
        connection::ConnectOptions::log_statements(self, level)
    }

    /// Sets the level at which sqlx logs statements that take at least `duration`.
    #[must_use]
    fn log_slow_statements(self, level: LevelFilter, duration: Duration) -> Self {
        connection::ConnectOptions::log_slow_statements(self, level, duration)
    }

    /// Turns off sqlx's logging of statements.
    #[must_use]
    fn disable_statement_logging(self) -> Self {
        connection::ConnectOptions::disable_statement_logging(self)
    }
}

impl<O, DB> ConnectOptions for O
where
    O: connection::ConnectOptions<Connection: connection::Connection<Database = DB>>,
    DB: Driver<Connection = O::Connection>,
    O::Connection: Sized,
{
    type Database = DB;

    async fn connect(&self) -> Result<Connection<DB>> {
        Connection::connect_with(self).await
    }
}
