use std::borrow::Cow;

use sqlx_core::any::{Any, AnyConnectOptions, AnyQueryResult};
use sqlx_core::error::DatabaseError;

use super::{Driver, Target, executor_methods};
use crate::Dialect;

impl Driver for Any {
    const SYSTEM: &'static str = "other_sql";
    const DIALECT: Dialect = Dialect::Generic;

    /// The target is read from the URL: options that a driver takes from elsewhere are not known.
    fn target(options: &AnyConnectOptions) -> Target {
        let url = &options.database_url;
        let (system, dialect, port) = match url.scheme() {
            "postgres" | "postgresql" => ("postgresql", Dialect::Postgres, Some(5432)),
            "mariadb" | "mysql" => ("mysql", Dialect::MySql, Some(3306)),
            "sqlite" => ("sqlite", Dialect::Sqlite, None),
            _ => (Self::SYSTEM, Self::DIALECT, None),
        };
        let target = Target::new(system, dialect);
        if dialect == Dialect::Sqlite {
            let file = url.path().rsplit('/').next().unwrap_or_default();
            return target.namespace(if file.is_empty() { ":memory:" } else { file });
        }
        let target = match url.path().trim_matches('/') {
            "" => target,
            database => target.namespace(database),
        };
        match url.host_str() {
            Some(host) => target.address(host, url.port().or(port)),
            None => target,
        }
    }

    fn rows_affected(result: &AnyQueryResult) -> u64 {
        result.rows_affected()
    }

    /// As of the driver behind it. For MySQL that takes the Cargo feature `mysql`, or it is the SQLSTATE.
    fn status_code(error: &dyn DatabaseError) -> Option<Cow<'_, str>> {
        #[cfg(feature = "mysql")]
        return <sqlx_mysql::MySql as Driver>::status_code(error);
        #[cfg(not(feature = "mysql"))]
        return error.code();
    }

    executor_methods!();
}
