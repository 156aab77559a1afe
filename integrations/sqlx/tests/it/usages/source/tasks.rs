//! Futures that are spawned, joined, and dropped.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use sqlx::Sqlite;

use super::names::{SqliteConnection, SqlitePool, Transaction};
use super::{INSERT, count, pool};

#[tokio::test]
async fn tasks() {
    let pool = pool().await;
    let shared = pool.clone();
    let task = tokio::spawn(async move {
        sqlx::query(INSERT).bind("a").execute(&shared).await?;
        let mut tx = shared.begin().await?;
        sqlx::query(INSERT).bind("b").execute(&mut *tx).await?;
        let mut savepoint = sqlx::Acquire::begin(&mut *tx).await?;
        sqlx::query(INSERT)
            .bind("c")
            .execute(&mut *savepoint)
            .await?;
        savepoint.commit().await?;
        sqlx::raw_sql("INSERT INTO users (name) VALUES ('d')")
            .execute(&mut *tx)
            .await?;
        let mut rows = sqlx::query("SELECT id FROM users").fetch(&mut *tx);
        while rows.try_next().await?.is_some() {}
        drop(rows);
        tx.commit().await
    });
    task.await.unwrap().unwrap();
    assert_eq!(count(&pool).await, 6);
}

#[tokio::test]
async fn moved_transactions_and_acquires() {
    let pool = pool().await;
    let mut tx: Transaction<'static, Sqlite> = pool.begin().await.unwrap();
    let task = tokio::spawn(async move {
        sqlx::query(INSERT)
            .bind("a")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    });
    task.await.unwrap();
    let mut conn = tokio::spawn(pool.acquire()).await.unwrap().unwrap();
    sqlx::query(INSERT)
        .bind("b")
        .execute(&mut *conn)
        .await
        .unwrap();
    drop(conn);
    assert_eq!(count(&pool).await, 4);
}

#[tokio::test]
async fn spawned_migrations() {
    let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let shared = pool.clone();
    tokio::spawn(async move { sqlx::migrate!("tests/migrations").run(&shared).await })
        .await
        .unwrap()
        .unwrap();
    let mut conn = pool.acquire().await.unwrap();
    sqlx::migrate!("tests/migrations")
        .run(&mut *conn)
        .await
        .unwrap();
}

#[tokio::test]
async fn dropped_futures() {
    let pool = pool().await;
    const SLOW: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT max(i) FROM n";
    let timed_out = tokio::time::timeout(Duration::ZERO, sqlx::query(SLOW).fetch_one(&pool)).await;
    assert!(timed_out.is_err());
    let mut tx = pool.begin().await.unwrap();
    tokio::select! {
        biased;
        _ = sqlx::query(SLOW).fetch_one(&mut *tx) => unreachable!("it is slow"),
        () = std::future::ready(()) => {}
    }
    sqlx::query(INSERT)
        .bind("a")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 3);
}

#[tokio::test]
async fn joined_futures() {
    let pool = pool().await;
    let add = |name: &'static str| sqlx::query(INSERT).bind(name).execute(&pool);
    tokio::try_join!(add("a"), add("b")).unwrap();
    futures_util::stream::iter(0..5)
        .for_each_concurrent(3, |n| {
            let pool = &pool;
            async move {
                sqlx::query(INSERT)
                    .bind(n.to_string())
                    .execute(pool)
                    .await
                    .unwrap();
            }
        })
        .await;
    assert_eq!(count(&pool).await, 9);
}

fn assert_send<T: Send>(_: &T) {}

#[tokio::test]
async fn futures_that_are_send() {
    async fn add(connection: &mut SqliteConnection) -> sqlx::Result<()> {
        sqlx::query(INSERT)
            .bind("a")
            .execute(&mut *connection)
            .await
            .map(drop)
    }
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    assert_send(&add(&mut tx));
    let rolled_back = tx.rollback();
    assert_send(&rolled_back);
    rolled_back.await.unwrap();
    assert_send(&pool.begin());
    assert_send(&pool.close());
}
