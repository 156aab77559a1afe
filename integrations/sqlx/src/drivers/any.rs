use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use sqlx_core::any::{Any, AnyConnectOptions, AnyQueryResult};
use sqlx_core::error::DatabaseError;

use super::{Driver, MEMORY, Target, executor_methods, socket_in};
use crate::Dialect;

impl Driver for Any {
    const SYSTEM: &'static str = "other_sql";
    const DIALECT: Dialect = Dialect::Generic;

    /// Reads the target from the URL only: options from other sources, such as environment variables, are
    /// unknown.
    fn target(options: &AnyConnectOptions) -> Target {
        let url = &options.database_url;
        match url.scheme() {
            "sqlite" => sqlite(url.as_str()),
            scheme => server(scheme, url.host_str(), url.port(), url.path()),
        }
    }

    fn rows_affected(result: &AnyQueryResult) -> u64 {
        result.rows_affected()
    }

    /// The code of the underlying driver. For MySQL this needs the Cargo feature `mysql`; without it, the code is
    /// the SQLSTATE.
    fn status_code(error: &dyn DatabaseError) -> Option<Cow<'_, str>> {
        #[cfg(feature = "mysql")]
        return <sqlx_mysql::MySql as Driver>::status_code(error);
        #[cfg(not(feature = "mysql"))]
        return error.code();
    }

    executor_methods!();
}

/// The database of `url`, parsed as SQLite's driver parses it: a path without a host, with optional parameters.
fn sqlite(url: &str) -> Target {
    let target = Target::new("sqlite", Dialect::Sqlite);
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    let (path, parameters) = path.split_once('?').unwrap_or((path, ""));
    if path == MEMORY
        || parameters
            .split('&')
            .any(|parameter| parameter == "mode=memory")
    {
        return target.namespace(MEMORY);
    }
    let path = decoded(path);
    match path.rsplit('/').next() {
        Some("") | None => target,
        Some(file) => target.namespace(file),
    }
}

fn server(scheme: &str, host: Option<&str>, port: Option<u16>, path: &str) -> Target {
    let (system, dialect, usual_port) = match scheme {
        "postgres" | "postgresql" => ("postgresql", Dialect::Postgres, Some(5432)),
        "mariadb" => ("mariadb", Dialect::MySql, Some(3306)),
        "mysql" => ("mysql", Dialect::MySql, Some(3306)),
        _ => (Any::SYSTEM, Any::DIALECT, None),
    };
    let target = Target::new(system, dialect);
    let target = match path.trim_matches('/') {
        "" => target,
        database => target.namespace(decoded(database)),
    };
    let port = port.or(usual_port);
    match host.filter(|host| !host.is_empty()).map(decoded) {
        Some(folder) if dialect == Dialect::Postgres && folder.starts_with('/') => {
            target.address(socket_in(&folder, port.unwrap_or_default()), None)
        }
        Some(host) => target.address(host, port),
        None => target,
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_target(url: &str, expected: Target) {
        let options: AnyConnectOptions = url.parse().unwrap();
        assert_eq!(Any::target(&options), expected, "{url}");
    }

    #[test]
    fn servers_have_the_port_of_their_product() {
        let postgres = Target::new("postgresql", Dialect::Postgres);
        let mysql = Target::new("mysql", Dialect::MySql);
        let mariadb = Target::new("mariadb", Dialect::MySql);
        for scheme in ["postgres", "postgresql"] {
            let expected = postgres.clone().namespace("my db").address("h", Some(5432));
            assert_target(&format!("{scheme}://u:p@h/my%20db"), expected);
        }
        let socket = postgres
            .clone()
            .namespace("d")
            .address("/run/pg/.s.PGSQL.5432", None);
        assert_target("postgres://%2Frun%2Fpg/d", socket);
        assert_target("postgres:///d", postgres.namespace("d"));
        assert_target(
            "mysql://h/d",
            mysql.clone().namespace("d").address("h", Some(3306)),
        );
        assert_target("mysql://h:1", mysql.address("h", Some(1)));
        assert_target(
            "mariadb://h/d",
            mariadb.namespace("d").address("h", Some(3306)),
        );
        let other = Target::new("other_sql", Dialect::Generic);
        assert_target("odbc://h/d", other.namespace("d").address("h", None));
    }

    #[test]
    fn files_are_named_as_sqlites_driver_names_them() {
        let sqlite = Target::new("sqlite", Dialect::Sqlite);
        for (url, name) in [
            ("sqlite:data.db", "data.db"),
            ("sqlite://data.db?mode=rwc", "data.db"),
            ("sqlite:///srv/shop/my%20db?mode=ro&cache=private", "my db"),
            ("sqlite::memory:", ":memory:"),
            ("sqlite://:memory:", ":memory:"),
            ("sqlite://x.db?cache=shared&mode=memory", ":memory:"),
        ] {
            if let Ok(options) = url.parse::<AnyConnectOptions>() {
                assert_eq!(
                    Any::target(&options),
                    sqlite.clone().namespace(name),
                    "{url}"
                );
            }
        }
        assert_target("sqlite://", sqlite);
    }
}
