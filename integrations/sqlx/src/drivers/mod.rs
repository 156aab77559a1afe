//! The traced drivers of sqlx: their dialect, their target, and the way in which they run a query.

#[cfg(feature = "any")]
mod any;
mod driver;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod target;

pub use self::driver::{Driver, Parts};
pub use self::target::Target;

/// The namespace of a SQLite database in memory.
#[cfg(any(feature = "any", feature = "sqlite"))]
const MEMORY: &str = ":memory:";

/// The path of the socket that PostgreSQL listens on for `port`.
#[cfg(any(feature = "any", feature = "postgres"))]
fn socket_in(folder: &str, port: u16) -> String {
    format!("{}/.s.PGSQL.{port}", folder.trim_end_matches('/'))
}

/// The methods of [`Driver`] that delegate to the driver's own [`Executor`](sqlx_core::executor::Executor).
///
/// They cannot be default methods: the necessary bound makes rustc overflow in user code.
#[cfg(any(
    feature = "any",
    feature = "mysql",
    feature = "postgres",
    feature = "sqlite"
))]
macro_rules! executor_methods {
    () => {
        fn fetch_many(
            connection: &mut Self::Connection,
            query: $crate::Parts<Self>,
        ) -> futures_core::stream::BoxStream<
            '_,
            sqlx_core::Result<sqlx_core::Either<Self::QueryResult, Self::Row>>,
        > {
            sqlx_core::executor::Executor::fetch_many(connection, query)
        }

        fn fetch_optional(
            connection: &mut Self::Connection,
            query: $crate::Parts<Self>,
        ) -> futures_core::future::BoxFuture<'_, sqlx_core::Result<Option<Self::Row>>> {
            sqlx_core::executor::Executor::fetch_optional(connection, query)
        }

        fn prepare_with<'e, 'c: 'e>(
            connection: &'c mut Self::Connection,
            sql: sqlx_core::sql_str::SqlStr,
            parameters: &'e [Self::TypeInfo],
        ) -> futures_core::future::BoxFuture<'e, sqlx_core::Result<Self::Statement>> {
            sqlx_core::executor::Executor::prepare_with(connection, sql, parameters)
        }

        fn describe(
            connection: &mut Self::Connection,
            sql: sqlx_core::sql_str::SqlStr,
        ) -> futures_core::future::BoxFuture<
            '_,
            sqlx_core::Result<sqlx_core::describe::Describe<Self>>,
        > {
            sqlx_core::executor::Executor::describe(connection, sql)
        }
    };
}
#[cfg(any(
    feature = "any",
    feature = "mysql",
    feature = "postgres",
    feature = "sqlite"
))]
use executor_methods;
