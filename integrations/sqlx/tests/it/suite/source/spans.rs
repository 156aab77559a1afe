//! One span for every call, with its attributes.

use azmon_sqlx::{Connection, Pool};
use futures_util::TryStreamExt;
use opentelemetry::trace::{FutureExt, TraceContextExt};
use sqlx::{Executor, SqlSafeStr};

use super::{Db, Fixture, database};

#[tokio::test]
async fn a_query_says_where_it_went_and_what_it_did() {
    let fixture = Fixture::new().await;
    sqlx::query(database::INSERT)
        .bind("Ada")
        .execute(&fixture.pool)
        .await
        .unwrap();
    let span = fixture.telemetry.take_one();
    assert_eq!(span.name(), "INSERT users");
    assert!(span.is_client());
    span.assert_ok();
    assert_eq!(
        span.text("db.system.name").as_deref(),
        Some(database::SYSTEM)
    );
    assert_eq!(
        span.text("db.query.summary").as_deref(),
        Some("INSERT users")
    );
    assert_eq!(
        span.text("db.query.text").as_deref(),
        Some(database::INSERT)
    );
    assert_eq!(span.text("db.operation.name").as_deref(), Some("INSERT"));
    assert_eq!(span.text("db.collection.name").as_deref(), Some("users"));
    assert_eq!(span.number("db.response.affected_rows"), Some(1));
    assert_eq!(span.number("db.response.returned_rows"), None);
    assert_eq!(span.0.instrumentation_scope.name(), "azmon-sqlx");
    database::assert_target(&fixture.connect_options, |key| span.text(key));
}

#[tokio::test]
async fn every_way_of_running_a_query_is_one_span() {
    const SELECT: &str = "SELECT name FROM users";
    let fixture = Fixture::new().await;
    fixture.add("Ada").await;
    fixture.add("Grace").await;
    let (pool, telemetry) = (&fixture.pool, &fixture.telemetry);
    let returned_as = |name: &str| {
        let span = telemetry.take_one();
        assert_eq!(span.name(), name);
        span.assert_ok();
        span.number("db.response.returned_rows")
    };
    let returned = || returned_as("SELECT users");
    macro_rules! all_ways {
        ($executor:expr) => {
            sqlx::query(SELECT).execute($executor).await.unwrap();
            assert_eq!(returned(), database_returns_rows_anyway());
            sqlx::query(SELECT).fetch_all($executor).await.unwrap();
            assert_eq!(returned(), Some(2));
            sqlx::query(SELECT).fetch_one($executor).await.unwrap();
            assert_eq!(returned(), Some(1));
            sqlx::query(SELECT).fetch_optional($executor).await.unwrap();
            assert_eq!(returned(), Some(1));
            sqlx::query(SELECT)
                .fetch($executor)
                .try_collect::<Vec<_>>()
                .await
                .unwrap();
            assert_eq!(returned(), Some(2));
            sqlx::query(SELECT)
                .map(|row| row)
                .fetch_all($executor)
                .await
                .unwrap();
            assert_eq!(returned(), Some(2));
            sqlx::query_scalar::<_, String>(SELECT)
                .fetch_all($executor)
                .await
                .unwrap();
            assert_eq!(returned(), Some(2));
            sqlx::query_as::<_, (String,)>(SELECT)
                .fetch_one($executor)
                .await
                .unwrap();
            assert_eq!(returned(), Some(1));
            sqlx::raw_sql(SELECT)
                .fetch_many($executor)
                .try_collect::<Vec<_>>()
                .await
                .unwrap();
            assert_eq!(returned(), Some(2));
            ($executor)
                .execute_many(SELECT)
                .try_collect::<Vec<_>>()
                .await
                .unwrap();
            assert_eq!(returned(), database_returns_rows_anyway());
            ($executor).prepare(SELECT.into_sql_str()).await.unwrap();
            assert_eq!(returned_as("PREPARE SELECT users"), None);
            ($executor).describe(SELECT.into_sql_str()).await.unwrap();
            assert_eq!(returned_as("DESCRIBE SELECT users"), None);
        };
    }
    all_ways!(pool);
    let mut conn = pool.acquire().await.unwrap();
    all_ways!(&mut *conn);
    all_ways!(&mut conn);
    let mut tx = conn.begin().await.unwrap();
    telemetry.take();
    all_ways!(&mut *tx);
    all_ways!(&mut tx);
    all_ways!(tx.as_mut());
}

/// Rows that the caller does not read are counted.
fn database_returns_rows_anyway() -> Option<i64> {
    Some(2)
}

#[tokio::test]
async fn several_statements_in_one_text_are_one_span() {
    let fixture = Fixture::build(super::PoolOptions::new().max_connections(1), |options| {
        options
    })
    .await;
    let text = "INSERT INTO users (name) VALUES ('a'), ('b'); DELETE FROM users WHERE name = 'a'";
    sqlx::raw_sql(text).execute(&fixture.pool).await.unwrap();
    let span = fixture.telemetry.take_one();
    assert_eq!(span.name(), "INSERT users DELETE users");
    assert_eq!(span.text("db.operation.name"), None);
    assert_eq!(span.text("db.collection.name").as_deref(), Some("users"));
    assert_eq!(span.number("db.response.affected_rows"), Some(3));
}

#[tokio::test]
async fn rows_affected_are_told_of_changes_alone() {
    let fixture = Fixture::new().await;
    for name in ["a", "b", "c"] {
        fixture.add(name).await;
    }
    sqlx::query("UPDATE users SET name = 'x' WHERE name = 'a'")
        .execute(&fixture.pool)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .telemetry
            .take_one()
            .number("db.response.affected_rows"),
        Some(1)
    );
    sqlx::query("SELECT * FROM users")
        .fetch_all(&fixture.pool)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .telemetry
            .take_one()
            .number("db.response.affected_rows"),
        None
    );
    sqlx::query("DELETE FROM users")
        .execute(&fixture.pool)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .telemetry
            .take_one()
            .number("db.response.affected_rows"),
        Some(3)
    );
}

#[tokio::test]
async fn spans_are_children_of_the_current_span() {
    let fixture = Fixture::new().await;
    let parent = fixture.telemetry.parent();
    let ids = parent.span().span_context().clone();
    sqlx::query("SELECT 1")
        .fetch_one(&fixture.pool)
        .with_context(parent.clone())
        .await
        .unwrap();
    let span = fixture.telemetry.take_one();
    assert_eq!(
        (span.0.parent_span_id, span.0.span_context.trace_id()),
        (ids.span_id(), ids.trace_id())
    );
    sqlx::query("SELECT 1")
        .fetch_one(&fixture.pool)
        .await
        .unwrap();
    let span = fixture.telemetry.take_one();
    assert_eq!(span.0.parent_span_id, opentelemetry::SpanId::INVALID);
}

#[tokio::test]
async fn the_statement_of_a_prepared_query_is_used() {
    let fixture = Fixture::new().await;
    fixture.add("Ada").await;
    let mut conn = fixture.pool.acquire().await.unwrap();
    let statement = conn
        .prepare("SELECT name FROM users".into_sql_str())
        .await
        .unwrap();
    fixture.telemetry.take();
    use sqlx::Statement;
    let rows = statement.query().fetch_all(&mut *conn).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(fixture.telemetry.take_one().name(), "SELECT users");
}

#[tokio::test]
async fn connections_can_change_places() {
    let fixture = Fixture::new().await;
    let mut conn = fixture.pool.acquire().await.unwrap();
    let raw = sqlx::ConnectOptions::connect(&fixture.connect_options)
        .await
        .unwrap();
    let mut owned: Connection<Db> = fixture.pool.wrap(raw);
    std::mem::swap(&mut *conn, &mut owned);
    sqlx::query("SELECT 1").execute(&mut owned).await.unwrap();
    sqlx::query("SELECT 1").execute(&mut *conn).await.unwrap();
    assert_eq!(fixture.telemetry.take_names(), ["SELECT", "SELECT"]);
    let detached = conn.detach();
    drop(owned);
    drop(detached);
    sqlx::query("SELECT 1")
        .execute(&fixture.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn queries_of_many_tasks_are_all_told() {
    let fixture = Fixture::build(super::PoolOptions::new().max_connections(3), |options| {
        options
    })
    .await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let pool: Pool<Db> = fixture.pool.clone();
            tokio::spawn(async move { sqlx::query("SELECT 1").execute(&pool).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(fixture.telemetry.take_names(), ["SELECT"; 20]);
}

#[tokio::test]
async fn statements_are_kept_prepared_as_the_query_asks() {
    let fixture = Fixture::new().await;
    let mut conn = fixture.pool.acquire().await.unwrap();
    let before = conn.cached_statements_size();
    sqlx::query("SELECT 1")
        .persistent(false)
        .execute(&mut *conn)
        .await
        .unwrap();
    sqlx::raw_sql("SELECT 2").execute(&mut *conn).await.unwrap();
    assert_eq!(conn.cached_statements_size(), before);
    for _ in 0..2 {
        sqlx::query("SELECT 3").execute(&mut *conn).await.unwrap();
    }
    assert_eq!(conn.cached_statements_size(), before + 1);
}
