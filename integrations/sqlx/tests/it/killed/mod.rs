//! Servers that are killed during a query, a transaction or a stream, and restarted.
//!
//! Each test has its own server, so that it can be killed.

use std::time::Duration;

use azmon_sqlx::{Connection, Driver, Pool, PoolOptions};
use azmon_test_databases::{Kind, Server};
use futures_util::TryStreamExt;
use sqlx::{Executor, MySql, Postgres, SqlSafeStr};

use crate::support::{Telemetry, eventually};

struct Fixture<DB: Driver> {
    server: Server,
    telemetry: Telemetry,
    pool: Pool<DB>,
}

impl<DB: Driver> Fixture<DB> {
    async fn new(kind: Kind) -> Self {
        let server = Server::start(kind).unwrap_or_else(|error| panic!("{error}"));
        let telemetry = Telemetry::new();
        let pool = PoolOptions::new()
            .max_connections(2)
            .acquire_timeout(Duration::from_secs(2))
            .trace(telemetry.options())
            .connect(&server.url())
            .await
            .unwrap();
        Self {
            server,
            telemetry,
            pool,
        }
    }

    fn connections(&self, state: &str) -> i64 {
        self.telemetry.sum(
            "db.client.connection.count",
            &[("db.client.connection.state", state)],
        )
    }

    /// Without a server, no connection is in use, no request is pending, and a new request times out.
    async fn assert_counts_are_right(&self) {
        eventually("no connection is in use", async || {
            self.connections("used") == 0
        })
        .await;
        assert_eq!(
            self.telemetry
                .sum("db.client.connection.pending_requests", &[]),
            0
        );
        self.telemetry.take();
        self.pool.execute("SELECT 1").await.map(drop).unwrap_err();
        let wait = self.telemetry.take_one();
        assert_eq!(wait.name(), "acquire connection");
        wait.assert_failed("PoolTimedOut");
        assert_eq!(self.connections("used"), 0);
        assert_eq!(
            self.telemetry
                .sum("db.client.connection.pending_requests", &[]),
            0
        );
        assert_eq!(self.telemetry.sum("db.client.connection.timeouts", &[]), 1);
    }

    /// After the restart, the same pool works again.
    async fn assert_recovers(&mut self) {
        self.server.restart().unwrap();
        self.telemetry.take();
        self.pool.execute("SELECT 1").await.unwrap();
        let span = self.telemetry.take_one();
        assert_eq!(span.name(), "SELECT");
        span.assert_ok();
        let mut tx = self.pool.begin().await.unwrap();
        (&mut *tx).execute("SELECT 1").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(self.telemetry.take_names(), ["BEGIN", "SELECT", "COMMIT"]);
        eventually("no connection is in use", async || {
            self.connections("used") == 0
        })
        .await;
        assert!(self.connections("idle") > 0);
    }

    /// The last span failed because the connection broke, or because the server announced its shutdown.
    #[track_caller]
    fn assert_broken(&self, names: &[&str]) {
        let spans = self.telemetry.take();
        assert_eq!(
            spans.iter().map(|span| span.name()).collect::<Vec<_>>(),
            names
        );
        let last = spans.last().unwrap();
        assert!(last.error().is_some(), "{last:?}");
        let error_type = last.text("error.type").unwrap();
        assert!(
            ["Io", "57P01", "57P02", "Protocol"].contains(&error_type.as_str()),
            "{error_type}"
        );
        assert!(!last.was_dropped());
    }
}

/// `busy` returns a row while the server runs `slow`.
async fn in_a_query<DB: Driver>(kind: Kind, slow: &'static str, busy: &'static str) {
    let mut fixture = Fixture::<DB>::new(kind).await;
    let pool = fixture.pool.clone();
    let query = tokio::spawn(async move { pool.execute(slow).await.map(drop) });
    let mut watcher = Connection::<DB>::connect(&fixture.server.url())
        .await
        .unwrap();
    eventually("the query runs", async || {
        watcher.fetch_optional(busy).await.unwrap().is_some()
    })
    .await;
    fixture.server.kill().unwrap();
    query.await.unwrap().unwrap_err();
    fixture.assert_broken(&["SELECT"]);
    fixture.assert_counts_are_right().await;
    fixture.assert_recovers().await;
}

async fn in_a_transaction<DB: Driver>(kind: Kind) {
    let mut fixture = Fixture::<DB>::new(kind).await;
    let mut tx = fixture.pool.begin().await.unwrap();
    (&mut *tx).execute("SELECT 1").await.unwrap();
    fixture.server.kill().unwrap();
    (&mut *tx).execute("SELECT 2").await.map(drop).unwrap_err();
    fixture.assert_broken(&["BEGIN", "SELECT", "SELECT"]);
    tx.commit().await.unwrap_err();
    fixture.assert_broken(&["COMMIT"]);
    fixture.assert_counts_are_right().await;
    fixture.assert_recovers().await;
    let mut tx = fixture.pool.begin().await.unwrap();
    (&mut *tx).execute("SELECT 1").await.unwrap();
    fixture.telemetry.take();
    fixture.server.kill().unwrap();
    drop(tx);
    let span = fixture.telemetry.take_one();
    assert_eq!((span.name(), span.was_dropped()), ("ROLLBACK", true));
    eventually("no connection is in use", async || {
        fixture.connections("used") == 0
    })
    .await;
}

async fn in_a_stream<DB: Driver>(kind: Kind, many: &'static str) {
    let mut fixture = Fixture::<DB>::new(kind).await;
    let pool = fixture.pool.clone();
    let mut rows = pool.fetch(many.into_sql_str());
    let mut read = 0;
    while read < 10 {
        rows.try_next().await.unwrap().unwrap();
        read += 1;
    }
    fixture.server.kill().unwrap();
    loop {
        match rows.try_next().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("the stream was cut short without an error"),
            Err(_) => break,
        }
    }
    drop(rows);
    let spans = fixture.telemetry.take();
    let [span] = spans.as_slice() else {
        panic!("{spans:?}");
    };
    assert!(span.error().is_some());
    assert_eq!(span.number("db.response.returned_rows"), Some(read));
    fixture.assert_counts_are_right().await;
    fixture.assert_recovers().await;
}

#[tokio::test]
async fn postgres_in_a_query() {
    in_a_query::<Postgres>(
        Kind::Postgres,
        "SELECT pg_sleep(60)",
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(60)'",
    )
    .await;
}

#[tokio::test]
async fn postgres_in_a_transaction() {
    in_a_transaction::<Postgres>(Kind::Postgres).await;
}

#[tokio::test]
async fn postgres_in_a_stream() {
    in_a_stream::<Postgres>(
        Kind::Postgres,
        "SELECT i, repeat('x', 1000) FROM generate_series(1, 1000000) AS i",
    )
    .await;
}

#[tokio::test]
async fn mariadb_in_a_query() {
    in_a_query::<MySql>(
        Kind::MariaDb,
        "SELECT SLEEP(60)",
        "SELECT 1 FROM information_schema.processlist WHERE info = 'SELECT SLEEP(60)'",
    )
    .await;
}

#[tokio::test]
async fn mariadb_in_a_transaction() {
    in_a_transaction::<MySql>(Kind::MariaDb).await;
}

#[tokio::test]
async fn mariadb_in_a_stream() {
    in_a_stream::<MySql>(
        Kind::MariaDb,
        "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_1000000",
    )
    .await;
}
