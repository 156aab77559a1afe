use std::borrow::Cow;

use sqlx_postgres::{PgConnectOptions, PgQueryResult, Postgres};

use super::{Driver, Target, executor_methods, socket_in};
use crate::Dialect;

impl Driver for Postgres {
    const SYSTEM: &'static str = "postgresql";
    const DIALECT: Dialect = Dialect::Postgres;
    const KEEPS_STATEMENT: bool = true;
    /// Deferred constraints may fail after the first row.
    const READS_TO_END: bool = true;

    fn target(options: &PgConnectOptions) -> Target {
        let target = Target::of::<Self>().namespace(
            options
                .get_database()
                .unwrap_or_else(|| options.get_username()),
        );
        // A host that is a directory contains the server's socket, whose name includes the port.
        let (host, port) = (options.get_host(), options.get_port());
        let folder = match options.get_socket() {
            Some(folder) => Some(folder.to_string_lossy()),
            None => host.starts_with('/').then_some(Cow::Borrowed(host)),
        };
        match folder {
            Some(folder) => target.address(socket_in(&folder, port), None),
            None => target.address(host, Some(port)),
        }
    }

    fn rows_affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    executor_methods!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_has_a_path_and_no_port() {
        let options = PgConnectOptions::new_without_pgpass()
            .database("shop")
            .port(6432);
        let socket = Target::of::<Postgres>()
            .namespace("shop")
            .address("/run/pg/.s.PGSQL.6432", None);
        assert_eq!(Postgres::target(&options.clone().host("/run/pg")), socket);
        assert_eq!(
            Postgres::target(&options.clone().host("db").socket("/run/pg")),
            socket
        );
        let server = Target::of::<Postgres>()
            .namespace("shop")
            .address("db", Some(6432));
        assert_eq!(Postgres::target(&options.host("db")), server);
    }
}
