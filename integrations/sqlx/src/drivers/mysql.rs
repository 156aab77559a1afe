use std::borrow::Cow;

use sqlx_core::error::DatabaseError;
use sqlx_mysql::{MySql, MySqlConnectOptions, MySqlDatabaseError, MySqlQueryResult};

use super::{Driver, Target, executor_methods};
use crate::Dialect;

impl Driver for MySql {
    const SYSTEM: &'static str = "mysql";
    const DIALECT: Dialect = Dialect::MySql;

    fn target(options: &MySqlConnectOptions) -> Target {
        let target = Target::of::<Self>();
        let target = match options.get_database() {
            Some(database) => target.namespace(database),
            None => target,
        };
        match options.get_socket() {
            Some(socket) => target.address(socket.to_string_lossy(), None),
            None => target.address(options.get_host(), Some(options.get_port())),
        }
    }

    fn rows_affected(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    /// The error number: `code` would be the SQLSTATE, which is the same for most errors.
    fn status_code(error: &dyn DatabaseError) -> Option<Cow<'_, str>> {
        match error.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => Some(error.number().to_string().into()),
            None => error.code(),
        }
    }

    executor_methods!();
}
