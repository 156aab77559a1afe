//! Transactions and savepoints.

// Plain sqlx needs the methods of `Connection` and `Acquire`; azmon-sqlx's types have them as inherent methods.
use sqlx::Sqlite;
#[expect(unused_imports, reason = "one of the two libraries needs each")]
use sqlx::{Acquire, Connection};

use super::names::{SqlitePool, Transaction};
use super::{INSERT, count, pool};

async fn add_by_acquire<'a>(
    db: impl Acquire<'a, Database = Sqlite>,
    name: &str,
) -> sqlx::Result<()> {
    let mut conn = db.acquire().await?;
    sqlx::query(INSERT)
        .bind(name)
        .execute(&mut *conn)
        .await
        .map(drop)
}

async fn add_by_begin<'a>(db: impl Acquire<'a, Database = Sqlite>, name: &str) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    sqlx::query(INSERT).bind(name).execute(&mut *tx).await?;
    tx.commit().await
}

#[tokio::test]
async fn functions_that_acquire() {
    let pool = pool().await;
    add_by_acquire(&pool, "a").await.unwrap();
    add_by_begin(&pool, "b").await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    add_by_acquire(&mut conn, "c").await.unwrap();
    add_by_acquire(&mut *conn, "d").await.unwrap();
    add_by_begin(&mut *conn, "e").await.unwrap();
    drop(conn);
    let mut tx = pool.begin().await.unwrap();
    add_by_acquire(&mut tx, "f").await.unwrap();
    add_by_begin(&mut tx, "g").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 9);
}

#[tokio::test]
async fn ended_in_every_way() {
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("committed")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("rolled back")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("dropped")
        .execute(&mut *tx)
        .await
        .unwrap();
    drop(tx);
    assert_eq!(count(&pool).await, 3);
}

#[tokio::test]
async fn savepoints() {
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    let mut kept = tx.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("a")
        .execute(&mut *kept)
        .await
        .unwrap();
    let mut inner = kept.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("b")
        .execute(&mut *inner)
        .await
        .unwrap();
    drop(inner);
    kept.commit().await.unwrap();
    let mut undone = tx.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("c")
        .execute(&mut *undone)
        .await
        .unwrap();
    undone.rollback().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 3);
}

#[tokio::test]
async fn on_connections() {
    let pool = pool().await;
    let mut conn = pool.acquire().await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("a")
        .execute(&mut *tx)
        .await
        .unwrap();
    let acquired = tx.acquire().await.unwrap();
    sqlx::query(INSERT)
        .bind("b")
        .execute(&mut *acquired)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    drop(conn);
    assert_eq!(count(&pool).await, 4);
}

async fn with_tx<T>(
    pool: &SqlitePool,
    run: impl AsyncFnOnce(&mut Transaction<'_, Sqlite>) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    let mut tx = pool.begin().await?;
    let value = run(&mut tx).await?;
    tx.commit().await?;
    Ok(value)
}

#[tokio::test]
async fn in_closures() {
    let pool = pool().await;
    let added = with_tx(&pool, async |tx| {
        let done = sqlx::query(INSERT).bind("a").execute(&mut **tx).await?;
        Ok(done.rows_affected())
    });
    assert_eq!(added.await.unwrap(), 1);
    assert_eq!(count(&pool).await, 3);
}

#[tokio::test]
async fn by_other_statements_and_if_possible() {
    let pool = pool().await;
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query(INSERT)
        .bind("a")
        .execute(&mut *tx)
        .await
        .unwrap();
    assert!(pool.try_begin().await.unwrap().is_none());
    assert!(pool.try_acquire().is_none());
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 3);
}
