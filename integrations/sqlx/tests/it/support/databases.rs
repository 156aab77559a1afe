//! A new database for every test, on each product.
//!
//! On a server from the environment the databases remain, as `azmon_<process>_<number>`.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use azmon_sqlx::{Connection, Driver};
use azmon_test_databases::Kind;
use sqlx::AssertSqlSafe;

/// The URL of a server, private or from the environment.
pub(crate) fn url(kind: Kind) -> String {
    azmon_test_databases::url(kind).unwrap_or_else(|error| panic!("{error}"))
}

/// Creates a database, and returns its name.
async fn new_on_server<DB: Driver>(kind: Kind) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("azmon_{}_{number}", process::id());
    let mut connection = Connection::<DB>::connect(&url(kind)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .unwrap();
    name
}

fn assert_server(
    attribute: impl Fn(&str) -> Option<String>,
    (namespace, address, port): (Option<&str>, &str, u16),
) {
    assert_eq!(attribute("db.namespace").as_deref(), namespace);
    assert_eq!(attribute("server.address").as_deref(), Some(address));
    assert_eq!(attribute("server.port"), Some(port.to_string()));
}

pub(crate) mod postgres {
    use azmon_test_databases::Kind;

    pub(crate) use azmon_sqlx::postgres::PgPoolOptions as PoolOptions;
    pub(crate) use sqlx::Postgres as Db;
    pub(crate) use sqlx::postgres::PgConnectOptions as ConnectOptions;

    pub(crate) const SYSTEM: &str = "postgresql";
    pub(crate) const CREATE: &str =
        "CREATE TABLE users (id SERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE)";
    pub(crate) const INSERT: &str = "INSERT INTO users (name) VALUES ($1)";
    pub(crate) const UNIQUE_VIOLATION: &str = "23505";
    pub(crate) const NOT_NULL_VIOLATION: &str = "23502";
    pub(crate) const NO_SUCH_TABLE: &str = "42P01";
    pub(crate) const FAILS_AT_THIRD_ROW: &str =
        "SELECT 1 / (3 - i) FROM (VALUES (1), (2), (3), (4)) AS t (i)";
    pub(crate) const FAILS_AT_THIRD_ROW_WITH: &str = "22012";
    pub(crate) const MANY_ROWS: &str = "SELECT i FROM generate_series(1, 100000) AS i";
    pub(crate) const SLOW: &str = "SELECT pg_sleep(2)";

    pub(crate) async fn new_database() -> ConnectOptions {
        let name = super::new_on_server::<Db>(Kind::Postgres).await;
        let options: ConnectOptions = super::url(Kind::Postgres).parse().unwrap();
        options.database(&name)
    }

    pub(crate) fn assert_target(
        options: &ConnectOptions,
        attribute: impl Fn(&str) -> Option<String>,
    ) {
        let target = (
            options.get_database(),
            options.get_host(),
            options.get_port(),
        );
        super::assert_server(attribute, target);
    }
}

pub(crate) mod mysql {
    use azmon_test_databases::Kind;

    pub(crate) use azmon_sqlx::mysql::MySqlPoolOptions as PoolOptions;
    pub(crate) use sqlx::MySql as Db;
    pub(crate) use sqlx::mysql::MySqlConnectOptions as ConnectOptions;

    pub(crate) const SYSTEM: &str = "mysql";
    pub(crate) const CREATE: &str =
        "CREATE TABLE users (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL UNIQUE)";
    pub(crate) const INSERT: &str = "INSERT INTO users (name) VALUES (?)";
    pub(crate) const UNIQUE_VIOLATION: &str = "1062";
    pub(crate) const NOT_NULL_VIOLATION: &str = "1048";
    pub(crate) const NO_SUCH_TABLE: &str = "1146";
    pub(crate) const FAILS_AT_THIRD_ROW: &str = "SELECT CAST(i AS UNSIGNED) - 3 FROM (SELECT 5 AS i UNION ALL SELECT 4 UNION ALL SELECT 2) AS t";
    pub(crate) const FAILS_AT_THIRD_ROW_WITH: &str = "1690";
    pub(crate) const MANY_ROWS: &str = "SELECT seq FROM seq_1_to_100000";
    pub(crate) const SLOW: &str = "SELECT SLEEP(2)";

    pub(crate) async fn new_database() -> ConnectOptions {
        let name = super::new_on_server::<Db>(Kind::MariaDb).await;
        let options: ConnectOptions = super::url(Kind::MariaDb).parse().unwrap();
        options.database(&name)
    }

    pub(crate) fn assert_target(
        options: &ConnectOptions,
        attribute: impl Fn(&str) -> Option<String>,
    ) {
        let target = (
            options.get_database(),
            options.get_host(),
            options.get_port(),
        );
        super::assert_server(attribute, target);
    }
}

pub(crate) mod sqlite {
    pub(crate) use azmon_sqlx::sqlite::SqlitePoolOptions as PoolOptions;
    pub(crate) use sqlx::Sqlite as Db;
    pub(crate) use sqlx::sqlite::SqliteConnectOptions as ConnectOptions;

    pub(crate) const SYSTEM: &str = "sqlite";
    pub(crate) const CREATE: &str =
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)";
    pub(crate) const INSERT: &str = "INSERT INTO users (name) VALUES (?)";
    pub(crate) const UNIQUE_VIOLATION: &str = "2067";
    pub(crate) const NOT_NULL_VIOLATION: &str = "1299";
    pub(crate) const NO_SUCH_TABLE: &str = "1";
    pub(crate) const FAILS_AT_THIRD_ROW: &str = "SELECT abs(i) FROM (SELECT 1 AS i UNION ALL SELECT 2 UNION ALL SELECT -9223372036854775807 - 1) AS t";
    pub(crate) const FAILS_AT_THIRD_ROW_WITH: &str = "1";
    pub(crate) const MANY_ROWS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i FROM n";
    pub(crate) const SLOW: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT max(i) FROM n";

    /// A database that all connections of a pool share.
    pub(crate) async fn new_database() -> ConnectOptions {
        "sqlite::memory:".parse().unwrap()
    }

    pub(crate) fn assert_target(_: &ConnectOptions, attribute: impl Fn(&str) -> Option<String>) {
        assert_eq!(attribute("db.namespace").as_deref(), Some(":memory:"));
        assert_eq!(
            (attribute("server.address"), attribute("server.port")),
            (None, None)
        );
    }
}
