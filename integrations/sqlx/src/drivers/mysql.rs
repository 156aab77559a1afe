use std::borrow::Cow;

use sqlx_core::error::DatabaseError;
use sqlx_mysql::{MySql, MySqlConnectOptions, MySqlDatabaseError, MySqlQueryResult};

use super::{Driver, Target, executor_methods};
use crate::Dialect;

impl Driver for MySql {
    const SYSTEM: &'static str = "mysql";
    const DIALECT: Dialect = Dialect::MySql;

    fn target(options: &MySqlConnectOptions) -> Target {
        target(options, Self::SYSTEM)
    }

    /// The URL's scheme distinguishes MariaDB from MySQL; the options do not.
    fn target_at(url: &str, options: &MySqlConnectOptions) -> Target {
        let is_mariadb = url.starts_with("mariadb:");
        target(options, if is_mariadb { "mariadb" } else { Self::SYSTEM })
    }

    fn rows_affected(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    /// The error number. `code` returns the SQLSTATE, which is the same for most errors.
    fn status_code(error: &dyn DatabaseError) -> Option<Cow<'_, str>> {
        match error.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => Some(error.number().to_string().into()),
            None => error.code(),
        }
    }

    executor_methods!();
}

fn target(options: &MySqlConnectOptions, system: &'static str) -> Target {
    let target = Target::new(system, MySql::DIALECT);
    let target = match options.get_database() {
        Some(database) => target.namespace(database),
        None => target,
    };
    match options.get_socket() {
        Some(socket) => target.address(socket.to_string_lossy(), None),
        None => target.address(options.get_host(), Some(options.get_port())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_told_by_the_url() {
        for (url, system) in [
            ("mysql://db:3307/shop", "mysql"),
            ("mariadb://db:3307/shop", "mariadb"),
        ] {
            let target = MySql::target_at(url, &url.parse().unwrap());
            let expected = Target::new(system, Dialect::MySql)
                .namespace("shop")
                .address("db", Some(3307));
            assert_eq!(target, expected);
        }
    }

    #[test]
    fn a_socket_has_a_path_and_no_port() {
        let options = MySqlConnectOptions::new().socket("/run/mysqld.sock");
        let expected = Target::of::<MySql>().address("/run/mysqld.sock", None);
        assert_eq!(MySql::target(&options), expected);
    }
}
