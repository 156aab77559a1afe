use sqlx_postgres::{PgConnectOptions, PgQueryResult, Postgres};

use super::{Driver, Target, executor_methods};
use crate::Dialect;

impl Driver for Postgres {
    const SYSTEM: &'static str = "postgresql";
    const DIALECT: Dialect = Dialect::Postgres;
    const KEEPS_STATEMENT: bool = true;

    fn target(options: &PgConnectOptions) -> Target {
        let target = Target::of::<Self>().namespace(
            options
                .get_database()
                .unwrap_or_else(|| options.get_username()),
        );
        match options.get_socket() {
            Some(socket) => target.address(socket.to_string_lossy(), None),
            None => target.address(options.get_host(), Some(options.get_port())),
        }
    }

    fn rows_affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    executor_methods!();
}
