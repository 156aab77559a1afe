//! The uses of sqlx's own names that remain after the imports are replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use azmon_sqlx::{ConnectOptions, Connection, Driver, MySqlPool, PgConnection, PgPool};
use azmon_sqlx::{Parts, Pool, SqliteConnection, SqlitePool, Statement};
use azmon_test_databases::Kind;
use opentelemetry::trace::TraceContextExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Execute, Executor, Postgres, SqlSafeStr, Sqlite};

use crate::support::databases::{self, url};
use crate::support::{Telemetry, eventually};

async fn memory(options: azmon_sqlx::sqlite::SqlitePoolOptions) -> (SqlitePool, Telemetry) {
    let telemetry = Telemetry::new();
    let options = options.trace(telemetry.options());
    (options.connect("sqlite::memory:").await.unwrap(), telemetry)
}

fn one() -> azmon_sqlx::sqlite::SqlitePoolOptions {
    azmon_sqlx::pool::PoolOptions::new().max_connections(1)
}

#[tokio::test]
async fn connections_are_opened_in_tasks() {
    let url = url(Kind::Postgres);
    let connect = PgConnection::connect(&url);
    drop(url);
    tokio::spawn(connect).await.unwrap().unwrap();
    let failed = tokio::spawn(PgConnection::connect("no url")).await.unwrap();
    assert!(failed.is_err());
}

#[tokio::test]
async fn connect_options_open_connections_that_are_traced() {
    let options: SqliteConnectOptions = "sqlite::memory:".parse().unwrap();
    let options = options
        .log_statements(log::LevelFilter::Off)
        .disable_statement_logging();
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    connection.execute("SELECT 1").await.unwrap();
    let _: SqliteConnection = ConnectOptions::connect(&options).await.unwrap();
}

#[tokio::test]
async fn a_pool_that_is_opened_by_the_options_of_another_is_traced() {
    let (pool, telemetry) = memory(one()).await;
    let options = pool.options().clone();
    assert_eq!(options.get_max_connections(), 1);
    let other = options
        .connect_with((*pool.connect_options()).clone())
        .await
        .unwrap();
    other.execute("SELECT 1").await.unwrap();
    assert_eq!(telemetry.take_names(), ["SELECT"]);
}

#[tokio::test]
async fn code_that_takes_a_reference_to_sqlxs_pool_gets_it() {
    async fn ping(pool: impl AsRef<sqlx::SqlitePool>) {
        pool.as_ref().execute("SELECT 1").await.unwrap();
    }
    let (pool, telemetry) = memory(one()).await;
    ping(&pool).await;
    assert_eq!(telemetry.take().len(), 0);
}

#[tokio::test]
async fn a_connection_that_is_closed_on_drop_does_not_come_back() {
    let (pool, _telemetry) = memory(one()).await;
    let mut connection = pool.acquire().await.unwrap();
    connection.close_on_drop();
    drop(connection);
    eventually("the connection is closed", async || pool.size() == 0).await;
}

#[tokio::test]
async fn connections_are_opened_with_the_options_that_were_set_last() {
    async fn has_keys(pool: &SqlitePool) -> bool {
        let keys = sqlx::query_scalar("PRAGMA foreign_keys")
            .fetch_one(pool)
            .await;
        keys.unwrap()
    }
    let (pool, _telemetry) = memory(one()).await;
    assert!(has_keys(&pool).await);
    pool.set_connect_options((*pool.connect_options()).clone().foreign_keys(false));
    pool.acquire().await.unwrap().close().await.unwrap();
    assert!(!has_keys(&pool).await);
}

#[tokio::test]
async fn callbacks_of_the_pool_are_called_with_connections_of_sqlx() {
    // The signatures require sqlx's own connection.
    async fn set_up(connection: &mut sqlx::SqliteConnection) -> sqlx::Result<()> {
        connection
            .execute("CREATE TABLE IF NOT EXISTS t (a)")
            .await
            .map(drop)
    }
    let counts = Arc::new([const { AtomicU32::new(0) }; 3]);
    let counted = |index: usize| {
        let counts = Arc::clone(&counts);
        move || counts[index].fetch_add(1, Ordering::Relaxed)
    };
    let (connected, acquired, released) = (counted(0), counted(1), counted(2));
    let options = one()
        .after_connect(move |connection, _| {
            connected();
            Box::pin(set_up(connection))
        })
        .before_acquire(move |_, _| {
            // The first connection is rejected.
            let keeps = acquired() > 0;
            Box::pin(async move { Ok(keeps) })
        })
        .after_release(move |_, _| {
            released();
            Box::pin(async { Ok(true) })
        });
    let (pool, telemetry) = memory(options).await;
    let of = |index: usize| counts[index].load(Ordering::Relaxed);
    assert_eq!((of(0), of(1), of(2)), (1, 0, 0));
    pool.execute("INSERT INTO t VALUES (1)").await.unwrap();
    eventually("the second is back", async || of(2) == 1).await;
    assert_eq!((of(0), of(1)), (2, 1));
    assert_eq!(telemetry.take_names(), ["INSERT t"]);
}

#[tokio::test]
async fn a_statement_is_kept_for_the_driver_that_makes_use_of_it() {
    async fn is_kept<DB: Driver>(mut connection: Connection<DB>) -> bool
    where
        for<'q> sqlx::query::Query<'q, DB, DB::Arguments>: Execute<'q, DB>,
    {
        let sql = "SELECT 1".into_sql_str();
        let statement = (&mut connection).prepare(sql).await.unwrap();
        Parts::<DB>::take(statement.query()).statement().is_some()
    }
    let postgres = Connection::<Postgres>::connect(&url(Kind::Postgres));
    assert!(is_kept(postgres.await.unwrap()).await);
    let sqlite = Connection::<Sqlite>::connect("sqlite::memory:");
    assert!(!is_kept(sqlite.await.unwrap()).await);
}

#[tokio::test]
async fn postgres_counts_all_rows_of_a_statement_of_which_one_is_wanted() {
    let telemetry = Telemetry::new();
    let options = databases::postgres::new_database().await;
    let pool: PgPool = Pool::new(
        sqlx::PgPool::connect_with(options).await.unwrap(),
        telemetry.options(),
    );
    let create = "CREATE TABLE t AS SELECT i FROM generate_series(1, 10) AS i";
    pool.inner().execute(create).await.unwrap();
    let update = "UPDATE t SET i = i + 1 RETURNING i";
    let row = sqlx::query(update).fetch_optional(&pool).await.unwrap();
    assert!(row.is_some());
    sqlx::query(update).fetch_one(&pool).await.unwrap();
    for span in telemetry.take() {
        assert_eq!(span.number("db.response.returned_rows"), Some(10));
        assert_eq!(span.number("db.response.affected_rows"), Some(10));
    }
    let none = "UPDATE t SET i = 0 WHERE i = 0 RETURNING i";
    let row = sqlx::query(none).fetch_optional(&pool).await.unwrap();
    assert!(row.is_none());
    let span = telemetry.take_one();
    assert_eq!(span.number("db.response.returned_rows"), Some(0));
    assert_eq!(span.number("db.response.affected_rows"), Some(0));
}

#[tokio::test]
async fn a_procedure_that_is_called_is_named() {
    let telemetry = Telemetry::new();
    let options = databases::mysql::new_database().await;
    let pool: MySqlPool = Pool::new(
        sqlx::MySqlPool::connect_with(options).await.unwrap(),
        telemetry.options(),
    );
    let create = "CREATE PROCEDURE refresh(IN a INT) BEGIN SELECT a; END";
    sqlx::raw_sql(create).execute(pool.inner()).await.unwrap();
    pool.execute("CALL refresh(1)").await.unwrap();
    let span = telemetry.take_one();
    assert_eq!(span.name(), "CALL refresh");
    let text = |key: &str| span.text(key);
    assert_eq!(text("db.stored_procedure.name").as_deref(), Some("refresh"));
    assert_eq!(text("db.operation.name").as_deref(), Some("CALL"));
    assert_eq!(text("db.collection.name"), None);
}

#[tokio::test]
async fn a_pool_of_mariadb_is_called_so_by_its_url() {
    let url = url(Kind::MariaDb).replace("mysql://", "mariadb://");
    let telemetry = Telemetry::new();
    let options = azmon_sqlx::mysql::MySqlPoolOptions::new().trace(telemetry.options());
    let pools = [
        options.clone().connect(&url).await.unwrap(),
        options.connect_lazy(&url).unwrap(),
    ];
    for pool in pools {
        pool.execute("SELECT 1").await.unwrap();
        let span = telemetry.take_one();
        assert_eq!(span.text("db.system.name").as_deref(), Some("mariadb"));
    }
}

#[tokio::test]
async fn a_pool_that_opens_lazily_has_no_time_before_its_first_connection() {
    let telemetry = Telemetry::new();
    let options = azmon_sqlx::sqlite::SqlitePoolOptions::new().trace(telemetry.options());
    let pool = options.connect_lazy("sqlite::memory:").unwrap();
    let times = || telemetry.sum("db.client.connection.create_time", &[]);
    assert_eq!(times(), 0);
    pool.execute("SELECT 1").await.unwrap();
    assert!(times() > 0);
}

#[tokio::test]
async fn queries_of_an_excluded_request_are_no_spans() {
    use azmon_instrument::exclude::without_spans;
    use opentelemetry::Context;
    use opentelemetry::trace::FutureExt;
    let (pool, telemetry) = memory(one()).await;
    let excluded = without_spans(&Context::new(), None);
    let tx = async {
        pool.execute("SELECT 1").await.unwrap();
        pool.begin().await.unwrap()
    }
    .with_context(excluded)
    .await;
    // The rest of the transaction runs in a task.
    tokio::spawn(tx.commit()).await.unwrap().unwrap();
    assert_eq!(telemetry.take().len(), 0);
    assert_eq!(telemetry.sum("db.client.operation.duration", &[]), 0);
    pool.execute("SELECT 1").await.unwrap();
    assert_eq!(telemetry.take_names(), ["SELECT"]);
}

#[tokio::test]
async fn a_query_in_a_suppressed_transaction_is_as_silent_in_a_task() {
    use opentelemetry::Context;
    use opentelemetry::trace::FutureExt;
    let (pool, telemetry) = memory(one()).await;
    let suppressed = Context::new().with_telemetry_suppressed();
    let mut tx = pool.begin().with_context(suppressed).await.unwrap();
    assert!(!Context::current().has_active_span());
    sqlx::query("SELECT 1").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(telemetry.take().len(), 0);
}
