//! Connections, by the methods of sqlx's `Connection` trait.

use sqlx::Connection;

use super::names::SqliteConnection;
use super::{INSERT, count, pool};

#[tokio::test]
async fn transactions_in_callbacks() {
    let pool = pool().await;
    let mut conn = pool.acquire().await.unwrap();
    conn.transaction(|tx| {
        Box::pin(async move {
            sqlx::query(INSERT).bind("c").execute(&mut **tx).await?;
            Ok::<_, sqlx::Error>(())
        })
    })
    .await
    .unwrap();
    let failed: sqlx::Result<()> = conn
        .transaction(|tx| {
            Box::pin(async move {
                sqlx::query(INSERT).bind("d").execute(&mut **tx).await?;
                sqlx::query(INSERT)
                    .bind("d")
                    .execute(&mut **tx)
                    .await
                    .map(drop)
            })
        })
        .await;
    assert!(
        failed
            .unwrap_err()
            .as_database_error()
            .unwrap()
            .is_unique_violation()
    );
    drop(conn);
    assert_eq!(count(&pool).await, 3);
}

type Options = <sqlx::SqliteConnection as Connection>::Options;

#[tokio::test]
async fn on_connections_without_a_pool() {
    let options: Options = "sqlite::memory:".parse().unwrap();
    SqliteConnection::connect_with(&options).await.unwrap();
    let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::migrate!("tests/migrations")
        .run(&mut conn)
        .await
        .unwrap();
    conn.ping().await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("a")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(!conn.is_in_transaction());
    assert!(conn.cached_statements_size() > 0);
    conn.clear_cached_statements().await.unwrap();
    assert_eq!(conn.cached_statements_size(), 0);
    conn.close().await.unwrap();
}

#[tokio::test]
async fn connections_taken_from_the_pool() {
    let pool = pool().await;
    let detached = pool.acquire().await.unwrap().detach();
    assert_eq!(pool.size(), 0);
    detached.close().await.unwrap();
    let mut closing = pool.acquire().await.unwrap();
    closing.close_on_drop();
    drop(closing);
    let conn = pool.acquire().await.unwrap();
    conn.close().await.unwrap();
    drop(pool.acquire().await.unwrap().leak());
    assert_eq!((pool.size(), pool.num_idle()), (1, 0));
}

#[tokio::test]
async fn closed_pools() {
    let pool = pool().await;
    let mut closed = pool.close_event();
    assert!(closed.do_until(pool.acquire()).await.unwrap().is_ok());
    pool.close().await;
    closed.await;
    assert!(pool.is_closed());
    assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolClosed)));
}
