#![doc = include_str!("../README.md")]

mod acquire;
mod attributes;
mod connect_options;
mod connection;
mod drivers;
mod executor;
mod lease;
mod metrics;
mod names;
mod operation;
mod options;
pub mod pool;
mod pool_connection;
mod providers;
mod state;
mod statements;
mod text;
mod transaction;

pub use self::acquire::{Acquire, OpenTransaction};
pub use self::attributes::DROPPED;
pub use self::connect_options::ConnectOptions;
pub use self::connection::Connection;
pub use self::drivers::{Driver, Parts, Target};
pub use self::options::TraceOptions;
pub use self::pool::{Pool, PoolOptions};
pub use self::pool_connection::PoolConnection;
pub use self::text::{Dialect, MAX_SUMMARY, MAX_TEXT, QueryInfo, QueryText};
pub use self::transaction::Transaction;

// The other traits at the root of sqlx, unchanged.
pub use sqlx_core::executor::{Execute, Executor};
pub use sqlx_core::statement::Statement;

/// The options for opening connections of a driver, such as `PgConnectOptions`.
pub type ConnectOptionsOf<DB> =
    <<DB as sqlx_core::database::Database>::Connection as sqlx_core::connection::Connection>::Options;

/// The type aliases of one driver, at the paths that sqlx gives them: in a module, and some at the root.
macro_rules! aliases {
    (
        $(#[$docs:meta])*
        mod $module:ident($feature:literal) for $driver:path {
            $pool:ident, $pool_options:ident, $connection:ident, $transaction:ident
        }
    ) => {
        #[cfg(feature = $feature)]
        $(#[$docs])*
        pub mod $module {
            /// A pool of connections.
            pub type $pool = crate::Pool<$driver>;
            /// The options of a pool.
            pub type $pool_options = crate::PoolOptions<$driver>;
            /// A connection.
            pub type $connection = crate::Connection<$driver>;
            /// A transaction or savepoint.
            pub type $transaction<'c> = crate::Transaction<'c, $driver>;
        }
        #[cfg(feature = $feature)]
        pub use self::$module::{$connection, $pool, $transaction};
    };
}

aliases! {
    /// The types for a driver that the URL selects.
    mod any("any") for sqlx_core::any::Any {
        AnyPool, AnyPoolOptions, AnyConnection, AnyTransaction
    }
}
aliases! {
    /// The types for MySQL and MariaDB.
    mod mysql("mysql") for sqlx_mysql::MySql {
        MySqlPool, MySqlPoolOptions, MySqlConnection, MySqlTransaction
    }
}
aliases! {
    /// The types for PostgreSQL.
    mod postgres("postgres") for sqlx_postgres::Postgres {
        PgPool, PgPoolOptions, PgConnection, PgTransaction
    }
}
aliases! {
    /// The types for SQLite.
    mod sqlite("sqlite") for sqlx_sqlite::Sqlite {
        SqlitePool, SqlitePoolOptions, SqliteConnection, SqliteTransaction
    }
}
