//! Features without a counterpart in plain sqlx.

use azmon_sqlx::{AnyPool, Driver, Parts, Pool, SqlitePool, SqliteTransaction, Transaction};
use sqlx::{Database, Execute, Executor, QueryBuilder, Sqlite};

use crate::support::Telemetry;

fn traced(pool: sqlx::SqlitePool) -> (SqlitePool, Telemetry) {
    let telemetry = Telemetry::new();
    (Pool::new(pool, telemetry.options()), telemetry)
}

async fn memory() -> (SqlitePool, Telemetry) {
    traced(sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap())
}

/// A bound of plain sqlx that rustc could not prove if azmon-sqlx's implementations had it.
async fn ping_plain<DB: Database>(pool: &sqlx::Pool<DB>) -> sqlx::Result<()>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    pool.execute("SELECT 1").await.map(drop)
}

async fn ping_ours<DB: Driver>(pool: &Pool<DB>) -> sqlx::Result<()> {
    pool.execute("SELECT 1").await?;
    let mut tx: Transaction<'_, DB> = pool.begin().await?;
    (&mut tx).execute("SELECT 1").await?;
    tx.commit().await
}

#[tokio::test]
async fn code_that_is_generic_over_the_database() {
    let (pool, telemetry) = memory().await;
    ping_plain(pool.inner()).await.unwrap();
    assert_eq!(telemetry.take().len(), 0);
    let spawned = pool.clone();
    tokio::spawn(async move { ping_ours(&spawned).await })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        telemetry.take_names(),
        ["SELECT", "BEGIN", "SELECT", "COMMIT"]
    );
}

#[tokio::test]
async fn what_needs_plain_sqlx_gets_it() {
    let (pool, telemetry) = memory().await;
    let mut conn = pool.acquire().await.unwrap();
    sqlx::query("SELECT 1")
        .execute(conn.raw_mut())
        .await
        .unwrap();
    drop(conn);
    let raw = pool.inner().acquire().await.unwrap();
    let mut conn = azmon_sqlx::PoolConnection::from(raw);
    sqlx::query("SELECT 1").execute(&mut conn).await.unwrap();
    drop(conn);
    let mut conn = sqlx::Acquire::acquire(&pool).await.unwrap();
    sqlx::query("SELECT 1").execute(&mut *conn).await.unwrap();
    assert_eq!(telemetry.take().len(), 0);
}

#[tokio::test]
async fn any_is_traced_as_what_is_behind_it() {
    sqlx::any::install_default_drivers();
    let telemetry = Telemetry::new();
    let pool: AnyPool = azmon_sqlx::any::AnyPoolOptions::new()
        .max_connections(1)
        .trace(telemetry.options())
        .connect("sqlite::memory:")
        .await
        .unwrap();
    sqlx::query("CREATE TABLE users (name TEXT UNIQUE)")
        .execute(&pool)
        .await
        .unwrap();
    let span = telemetry.take_one();
    assert_eq!(span.text("db.system.name").as_deref(), Some("sqlite"));
    assert_eq!(span.text("db.namespace").as_deref(), Some(":memory:"));
    for _ in 0..2 {
        let _ = sqlx::query("INSERT INTO users VALUES ('Ada')")
            .execute(&pool)
            .await;
    }
    let spans = telemetry.take();
    spans[0].assert_ok();
    spans[1].assert_failed("2067");
}

#[tokio::test]
async fn any_knows_server_and_database_by_the_url() {
    use azmon_test_databases::Kind;
    sqlx::any::install_default_drivers();
    for (kind, system) in [(Kind::Postgres, "postgresql"), (Kind::MariaDb, "mysql")] {
        let url = crate::support::databases::url(kind);
        let telemetry = Telemetry::new();
        let options = azmon_sqlx::any::AnyPoolOptions::new().trace(telemetry.options());
        let pool = options.connect(&url).await.unwrap();
        sqlx::query("SELECT 'x' FROM nowhere")
            .execute(&pool)
            .await
            .unwrap_err();
        let span = telemetry.take_one();
        assert_eq!(span.text("db.system.name").as_deref(), Some(system));
        assert!(span.text("server.address").is_some() && span.number("server.port").is_some());
        assert_eq!(
            span.text("db.query.text").as_deref(),
            Some("SELECT ? FROM nowhere")
        );
        span.assert_failed(if system == "mysql" { "1146" } else { "42P01" });
    }
}

/// All methods that drivers call on a query.
fn asked<'q>(mut query: impl Execute<'q, Sqlite>) -> (Option<Option<usize>>, bool, String) {
    let arguments = query
        .take_arguments()
        .ok()
        .map(|arguments| arguments.map(|a| sqlx::Arguments::len(&a)));
    (
        arguments,
        query.persistent(),
        query.sql().as_str().to_owned(),
    )
}

#[test]
fn a_query_taken_apart_answers_as_the_query_does() {
    macro_rules! assert_same {
        ($($query:expr),* $(,)?) => {
            $(assert_eq!(asked(Parts::<Sqlite>::take($query)), asked($query), stringify!($query));)*
        };
    }
    assert_same!(
        sqlx::query("SELECT 1"),
        sqlx::query("SELECT ?").bind(1).bind("x"),
        sqlx::query("SELECT 1").persistent(false),
        sqlx::query_as::<_, (i64,)>("SELECT 1"),
        sqlx::query_scalar::<_, i64>("SELECT ?").bind(1),
        sqlx::query::<Sqlite>("SELECT 1").map(|row: sqlx::sqlite::SqliteRow| row),
        sqlx::raw_sql("SELECT 1; SELECT 2"),
        sqlx::AssertSqlSafe("SELECT 1".to_owned()),
        "SELECT 1",
        ("SELECT 1", None),
        ("SELECT 1", Some(sqlx::sqlite::SqliteArguments::default())),
    );
    let mut builder = QueryBuilder::<Sqlite>::new("SELECT ");
    let taken = asked(Parts::<Sqlite>::take(builder.push_bind(1).build()));
    let mut builder = QueryBuilder::<Sqlite>::new("SELECT ");
    assert_eq!(taken, asked(builder.push_bind(1).build()));
}

fn assert_send_sync<T: Send + Sync>() {}

/// A transaction with a longer borrow is accepted where a shorter one is expected.
fn shorten<'short>(tx: SqliteTransaction<'static>, _: &'short ()) -> SqliteTransaction<'short> {
    tx
}

#[tokio::test]
async fn types_are_as_free_as_those_of_sqlx() {
    assert_send_sync::<SqlitePool>();
    assert_send_sync::<azmon_sqlx::SqliteConnection>();
    assert_send_sync::<azmon_sqlx::PoolConnection<Sqlite>>();
    assert_send_sync::<SqliteTransaction<'static>>();
    assert_send_sync::<azmon_sqlx::PgPool>();
    assert_send_sync::<azmon_sqlx::MySqlTransaction<'static>>();
    let (pool, _telemetry) = memory().await;
    drop(shorten(pool.begin().await.unwrap(), &()));
}
