//! BEGIN, COMMIT, ROLLBACK, and the statements of savepoints.

use opentelemetry::trace::{FutureExt, TraceContextExt};
// The trait's methods `begin` and `acquire` are not traced, and must not take precedence over azmon-sqlx's.
#[expect(unused_imports, reason = "ours are found instead")]
use sqlx::Acquire;

use super::{Fixture, database};
use crate::support::eventually;

#[tokio::test]
async fn every_step_is_a_span_in_its_order() {
    let fixture = Fixture::new().await;
    for round in 0..20 {
        let mut tx = fixture.pool.begin().await.unwrap();
        sqlx::query(database::INSERT)
            .bind(format!("{round}"))
            .execute(&mut *tx)
            .await
            .unwrap();
        let mut kept = tx.begin().await.unwrap();
        sqlx::query("SELECT 1").execute(&mut *kept).await.unwrap();
        let dropped = kept.begin().await.unwrap();
        drop(dropped);
        kept.commit().await.unwrap();
        tx.begin().await.unwrap().rollback().await.unwrap();
        tx.commit().await.unwrap();
        let names = fixture.telemetry.take_names();
        assert_eq!(
            names,
            [
                "BEGIN",
                "INSERT users",
                "SAVEPOINT",
                "SELECT",
                "SAVEPOINT",
                "ROLLBACK TO SAVEPOINT",
                "RELEASE SAVEPOINT",
                "SAVEPOINT",
                "ROLLBACK TO SAVEPOINT",
                "COMMIT"
            ]
        );
    }
}

#[tokio::test]
async fn a_dropped_transaction_says_so_where_it_began() {
    let fixture = Fixture::new().await;
    let parent = fixture.telemetry.parent();
    let mut tx = fixture
        .pool
        .begin()
        .with_context(parent.clone())
        .await
        .unwrap();
    sqlx::query(database::INSERT)
        .bind("Ada")
        .execute(&mut *tx)
        .await
        .unwrap();
    fixture.telemetry.take();
    drop(tx);
    let span = fixture.telemetry.take_one();
    assert_eq!(span.name(), "ROLLBACK");
    assert!(span.was_dropped());
    span.assert_ok();
    assert_eq!(
        span.0.parent_span_id,
        parent.span().span_context().span_id()
    );
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(&fixture.pool)
        .await
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn a_transaction_that_is_moved_into_a_task_stays_where_it_began() {
    let fixture = Fixture::new().await;
    let parent = fixture.telemetry.parent();
    let span_id = parent.span().span_context().span_id();
    let mut tx = fixture.pool.begin().with_context(parent).await.unwrap();
    let task = tokio::spawn(async move {
        sqlx::query("SELECT 1").execute(&mut *tx).await?;
        tx.begin().await?.commit().await?;
        tx.commit().await
    });
    task.await.unwrap().unwrap();
    let spans = fixture.telemetry.take();
    assert_eq!(spans.len(), 6, "{spans:?}");
    // The parent ends with its context: the transaction does not keep the context alive.
    let (parents, others): (Vec<_>, Vec<_>) =
        spans.iter().partition(|span| span.name() == "parent");
    assert_eq!((parents.len(), others.len()), (1, 5));
    assert!(others.iter().all(|span| span.0.parent_span_id == span_id));
    // A later query on the connection is not part of the transaction.
    sqlx::query("SELECT 1")
        .execute(&fixture.pool)
        .await
        .unwrap();
    let span = fixture.telemetry.take_one();
    assert_eq!(span.0.parent_span_id, opentelemetry::SpanId::INVALID);
}

#[tokio::test]
async fn a_transaction_that_is_moved_into_another_trace_is_told_there() {
    let fixture = Fixture::new().await;
    let (first, second) = (fixture.telemetry.parent(), fixture.telemetry.parent());
    let tx = fixture.pool.begin().with_context(first).await.unwrap();
    fixture.telemetry.take();
    tx.commit().with_context(second.clone()).await.unwrap();
    let span = fixture.telemetry.take_one();
    assert_eq!(
        span.0.parent_span_id,
        second.span().span_context().span_id()
    );
}

#[tokio::test]
async fn an_open_transaction_does_not_keep_the_span_that_it_began_in() {
    let fixture = Fixture::new().await;
    let parent = fixture.telemetry.parent();
    let tx = fixture.pool.begin().with_context(parent).await.unwrap();
    // The future and its context are dropped, so the span has ended.
    assert_eq!(fixture.telemetry.take_names(), ["BEGIN", "parent"]);
    drop(tx);
}

#[tokio::test]
async fn a_rollback_and_a_commit_are_not_dropped() {
    let fixture = Fixture::new().await;
    fixture
        .pool
        .begin()
        .await
        .unwrap()
        .rollback()
        .await
        .unwrap();
    fixture
        .pool
        .begin_with(begin())
        .await
        .unwrap()
        .commit()
        .await
        .unwrap();
    let spans = fixture.telemetry.take();
    let names: Vec<_> = spans.iter().map(|span| span.name()).collect();
    assert_eq!(
        names,
        ["BEGIN", "ROLLBACK", "START TRANSACTION", "COMMIT"].map(|name| match name {
            "START TRANSACTION" if database::SYSTEM == "sqlite" => "BEGIN",
            name => name,
        })
    );
    assert!(
        spans
            .iter()
            .all(|span| !span.was_dropped() && span.is_client())
    );
}

fn begin() -> &'static str {
    match database::SYSTEM {
        "sqlite" => "BEGIN IMMEDIATE",
        _ => "START TRANSACTION",
    }
}

#[tokio::test]
async fn connections_begin_and_acquire_traced_with_the_trait_in_scope() {
    let fixture = Fixture::new().await;
    let mut conn = fixture.pool.acquire().await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    let acquired = tx.acquire().await.unwrap();
    sqlx::query("SELECT 1")
        .execute(&mut *acquired)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let acquired = conn.acquire().await.unwrap();
    sqlx::query("SELECT 1")
        .execute(&mut *acquired)
        .await
        .unwrap();
    assert_eq!(
        fixture.telemetry.take_names(),
        ["BEGIN", "SELECT", "COMMIT", "SELECT"]
    );
}

#[tokio::test]
async fn our_own_acquire_is_traced_in_tasks() {
    use azmon_sqlx::OpenTransaction;
    async fn begin(db: impl azmon_sqlx::Acquire<Database = super::Db>) -> sqlx::Result<()> {
        let mut tx = db.begin().await?;
        sqlx::query("SELECT 1").execute(&mut *tx).await?;
        tx.commit().await
    }
    async fn run(db: impl azmon_sqlx::Acquire<Database = super::Db>) -> sqlx::Result<()> {
        let mut connection = db.acquire().await?;
        begin(&mut *connection).await
    }
    let fixture = Fixture::new().await;
    let pool = fixture.pool.clone();
    let task = tokio::spawn(async move {
        run(&pool).await?;
        begin(&pool).await?;
        let mut conn = pool.acquire().await?;
        begin(&mut conn).await?;
        run(&mut *conn).await?;
        let mut tx = conn.begin().await?;
        run(&mut tx).await?;
        tx.commit().await
    });
    task.await.unwrap().unwrap();
    let whole = ["BEGIN", "SELECT", "COMMIT"];
    let nested = [
        "BEGIN",
        "SAVEPOINT",
        "SELECT",
        "RELEASE SAVEPOINT",
        "COMMIT",
    ];
    assert_eq!(
        fixture.telemetry.take_names(),
        [&whole[..], &whole, &whole, &whole, &nested].concat()
    );
}

#[tokio::test]
async fn a_begin_that_is_dropped_leaves_a_usable_connection() {
    let fixture = Fixture::new().await;
    let mut conn = fixture.pool.acquire().await.unwrap();
    {
        let mut begin = Box::pin(conn.begin());
        let _ = futures_util::poll!(&mut begin);
    }
    sqlx::query(database::INSERT)
        .bind("Ada")
        .execute(&mut *conn)
        .await
        .unwrap();
    drop(conn);
    eventually("the connection is back", async || {
        fixture.pool.num_idle() == 1
    })
    .await;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(&fixture.pool)
        .await
        .unwrap();
    assert_eq!(count, 1);
}
