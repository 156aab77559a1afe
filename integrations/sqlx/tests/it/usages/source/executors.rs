//! The types that run a query, and the signatures of functions that take them.

use std::future::Future;

use sqlx::{Executor, Sqlite, SqliteExecutor};

use super::names::{PoolConnection, SqliteConnection, SqlitePool, SqliteTransaction, Transaction};
use super::{INSERT, count, pool};

async fn add(connection: &mut SqliteConnection, name: &str) -> sqlx::Result<u64> {
    let first = sqlx::query(INSERT)
        .bind(name)
        .execute(&mut *connection)
        .await?;
    let second = sqlx::query(INSERT)
        .bind(format!("{name} 2"))
        .execute(connection)
        .await?;
    Ok(first.rows_affected() + second.rows_affected())
}

async fn add_by_executor<'e, E>(executor: E, name: &str) -> sqlx::Result<()>
where
    E: Executor<'e, Database = Sqlite>,
{
    sqlx::query(INSERT)
        .bind(name)
        .execute(executor)
        .await
        .map(drop)
}

async fn add_by_impl(
    executor: impl Executor<'_, Database = Sqlite>,
    name: &str,
) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(name)
        .execute(executor)
        .await
        .map(drop)
}

async fn add_by_alias(executor: impl SqliteExecutor<'_>, name: &str) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(name)
        .execute(executor)
        .await
        .map(drop)
}

async fn add_twice<'a>(executor: impl Executor<'a, Database = Sqlite> + Copy) -> sqlx::Result<()> {
    add_by_executor(executor, "one").await?;
    add_by_executor(executor, "two").await
}

async fn add_by_bound<C>(connection: &mut C) -> sqlx::Result<()>
where
    for<'c> &'c mut C: Executor<'c, Database = Sqlite>,
{
    sqlx::query(INSERT)
        .bind("bound")
        .execute(&mut *connection)
        .await?;
    sqlx::query(INSERT)
        .bind("bound 2")
        .execute(connection)
        .await
        .map(drop)
}

fn add_recursively(
    connection: &mut SqliteConnection,
    rest: u32,
) -> futures_core::future::BoxFuture<'_, sqlx::Result<()>> {
    Box::pin(async move {
        sqlx::query(INSERT)
            .bind(format!("user {rest}"))
            .execute(&mut *connection)
            .await?;
        match rest {
            0 => Ok(()),
            _ => add_recursively(connection, rest - 1).await,
        }
    })
}

#[tokio::test]
async fn pools_connections_and_transactions() {
    let pool = pool().await;
    sqlx::query(INSERT).bind("a").execute(&pool).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    sqlx::query(INSERT)
        .bind("b")
        .execute(&mut *conn)
        .await
        .unwrap();
    conn.execute("INSERT INTO users (name) VALUES ('c')")
        .await
        .unwrap();
    conn.fetch_one("SELECT 1").await.unwrap();
    drop(conn);
    let mut tx = pool.begin().await.unwrap();
    sqlx::query(INSERT)
        .bind("d")
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query(INSERT)
        .bind("e")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.execute("INSERT INTO users (name) VALUES ('f')")
        .await
        .unwrap();
    sqlx::query(INSERT)
        .bind("g")
        .execute(tx.as_mut())
        .await
        .unwrap();
    Executor::execute(&mut *tx, "INSERT INTO users (name) VALUES ('h')")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 10);
}

#[tokio::test]
#[expect(clippy::explicit_auto_deref, reason = "people write it both ways")]
async fn functions_that_take_a_connection() {
    let pool = pool().await;
    let mut conn: PoolConnection<Sqlite> = pool.acquire().await.unwrap();
    assert_eq!(add(&mut conn, "a").await.unwrap(), 2);
    add_by_bound(&mut *conn).await.unwrap();
    drop(conn);
    let mut tx = pool.begin().await.unwrap();
    add(&mut tx, "b").await.unwrap();
    add(&mut *tx, "c").await.unwrap();
    add_recursively(&mut tx, 2).await.unwrap();
    async fn within(t: &mut SqliteTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query(INSERT).bind("d").execute(&mut **t).await?;
        add(t, "e").await.map(drop)
    }
    within(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 16);
}

#[tokio::test]
async fn functions_that_take_an_executor() {
    let pool = pool().await;
    add_by_executor(&pool, "a").await.unwrap();
    add_by_impl(&pool, "b").await.unwrap();
    add_by_alias(&pool, "c").await.unwrap();
    add_twice(&pool).await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    add_by_executor(&mut *tx, "d").await.unwrap();
    add_by_impl(&mut *tx, "e").await.unwrap();
    add_by_alias(&mut *tx, "f").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 10);
}

struct Repository<'a> {
    connection: &'a mut SqliteConnection,
}

impl Repository<'_> {
    async fn add(&mut self, name: &str) -> sqlx::Result<()> {
        sqlx::query(INSERT)
            .bind(name)
            .execute(&mut *self.connection)
            .await
            .map(drop)
    }
}

struct Unit<'a> {
    tx: Option<Transaction<'a, Sqlite>>,
}

#[tokio::test]
async fn structs_that_hold_connections() {
    let pool = pool().await;
    let mut unit = Unit {
        tx: Some(pool.begin().await.unwrap()),
    };
    if let Some(tx) = unit.tx.as_mut() {
        let mut repository = Repository { connection: tx };
        repository.add("a").await.unwrap();
        repository.add("b").await.unwrap();
        sqlx::query(INSERT)
            .bind("c")
            .execute(&mut **tx)
            .await
            .unwrap();
    }
    unit.tx.take().unwrap().commit().await.unwrap();
    let shared = tokio::sync::Mutex::new(pool.acquire().await.unwrap());
    let mut guard = shared.lock().await;
    sqlx::query(INSERT)
        .bind("d")
        .execute(&mut **guard)
        .await
        .unwrap();
    drop(guard);
    drop(shared);
    assert_eq!(count(&pool).await, 6);
}

/// A trait whose associated type is an executor.
trait Source {
    type Executor<'c>: Executor<'c, Database = Sqlite>
    where
        Self: 'c;

    fn executor(&mut self) -> Self::Executor<'_>;
}

impl Source for SqlitePool {
    type Executor<'c> = &'c Self;

    fn executor(&mut self) -> &Self {
        self
    }
}

impl Source for SqliteConnection {
    type Executor<'c> = &'c mut Self;

    fn executor(&mut self) -> &mut Self {
        self
    }
}

async fn add_from(source: &mut impl Source) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind("a")
        .execute(source.executor())
        .await?;
    sqlx::query(INSERT)
        .bind("b")
        .execute(source.executor())
        .await
        .map(drop)
}

#[tokio::test]
async fn executors_as_associated_types() {
    let mut pool = pool().await;
    add_from(&mut pool).await.unwrap();
    sqlx::query("DELETE FROM users")
        .execute(&pool)
        .await
        .unwrap();
    let mut conn = pool.acquire().await.unwrap();
    add_from(&mut *conn).await.unwrap();
    drop(conn);
    assert_eq!(count(&pool).await, 2);
}

#[async_trait::async_trait]
trait Repo: Send + Sync {
    async fn add(&self, tx: &mut Transaction<'_, Sqlite>, name: &str) -> sqlx::Result<()>;
}

struct Sql;

#[async_trait::async_trait]
impl Repo for Sql {
    async fn add(&self, tx: &mut Transaction<'_, Sqlite>, name: &str) -> sqlx::Result<()> {
        sqlx::query(INSERT)
            .bind(name)
            .execute(&mut **tx)
            .await
            .map(drop)
    }
}

trait Repo2 {
    fn add(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        name: &str,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;
}

impl Repo2 for Sql {
    async fn add(&self, tx: &mut Transaction<'_, Sqlite>, name: &str) -> sqlx::Result<()> {
        sqlx::query(INSERT)
            .bind(name)
            .execute(&mut **tx)
            .await
            .map(drop)
    }
}

#[tokio::test]
async fn traits_whose_methods_take_transactions() {
    let pool = pool().await;
    let repo: std::sync::Arc<dyn Repo> = std::sync::Arc::new(Sql);
    let mut tx = pool.begin().await.unwrap();
    repo.add(&mut tx, "a").await.unwrap();
    Repo2::add(&Sql, &mut tx, "b").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&pool).await, 4);
}
