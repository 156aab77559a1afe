//! Rows as they arrive.

use futures_util::{StreamExt, TryStreamExt};
use sqlx::sqlite::SqliteRow;
use sqlx::{Either, Executor, Row};

use super::names::SqlitePool;
use super::{count, pool};

#[tokio::test]
async fn to_the_end() {
    let pool = pool().await;
    let mut rows = sqlx::query("SELECT id FROM users").fetch(&pool);
    let mut ids = Vec::new();
    while let Some(row) = rows.try_next().await.unwrap() {
        ids.push(row.get::<i64, _>(0));
    }
    drop(rows);
    assert_eq!(ids, [1, 2]);
    let mut tx = pool.begin().await.unwrap();
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM users")
        .fetch(&mut *tx)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(names, ["Ada", "Grace"]);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn half_way_and_not_at_all() {
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    let mut rows = sqlx::query("SELECT id FROM users").fetch(&mut *tx);
    assert!(rows.next().await.unwrap().is_ok());
    drop(rows);
    drop(sqlx::query("SELECT id FROM users").fetch(&mut *tx));
    sqlx::query("DELETE FROM users")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut rows = sqlx::query("SELECT 1 UNION SELECT 2").fetch(&pool);
    assert!(rows.next().await.unwrap().is_ok());
    drop(rows);
    drop(sqlx::query("SELECT 1").fetch(&pool));
    assert_eq!(count(&pool).await, 0);
}

fn forever(pool: &SqlitePool) -> futures_core::stream::BoxStream<'static, sqlx::Result<SqliteRow>> {
    sqlx::query("SELECT id FROM users").fetch(pool)
}

#[tokio::test]
async fn that_own_their_connection() {
    let pool = pool().await;
    let rows = forever(&pool);
    let spawned = tokio::spawn(async move { rows.try_collect::<Vec<_>>().await.unwrap().len() });
    assert_eq!(spawned.await.unwrap(), 2);
}

#[tokio::test]
async fn of_rows_and_results() {
    let pool = pool().await;
    let steps: Vec<_> = sqlx::raw_sql("DELETE FROM users WHERE id = 1; SELECT id FROM users")
        .fetch_many(&pool)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        steps
            .iter()
            .filter(|step| matches!(step, Either::Right(_)))
            .count(),
        1
    );
    let results: Vec<_> = pool
        .execute_many(sqlx::raw_sql(
            "INSERT INTO users (name) VALUES ('a'), ('b'); DELETE FROM users",
        ))
        .try_collect()
        .await
        .unwrap();
    let affected: Vec<_> = results
        .iter()
        .map(sqlx::sqlite::SqliteQueryResult::rows_affected)
        .collect();
    assert_eq!(affected, [2, 3]);
}

#[tokio::test]
async fn with_an_error() {
    let pool = pool().await;
    let mut rows = sqlx::query("SELECT nothing FROM nowhere").fetch(&pool);
    assert!(rows.next().await.unwrap().is_err());
    drop(rows);
    assert_eq!(count(&pool).await, 2);
}
