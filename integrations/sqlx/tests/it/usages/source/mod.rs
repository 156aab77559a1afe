//! The source that is compiled twice. `super::names` contains the types of one library or the other.

mod connections;
mod executors;
mod queries;
mod streams;
mod tasks;
mod transactions;

use super::names;
use super::names::{SqlitePool, SqlitePoolOptions};

/// A pool of one connection to a database in memory, with two users, made by migrations.
async fn pool() -> SqlitePool {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    sqlx::migrate!("tests/migrations").run(&pool).await.unwrap();
    pool
}

async fn count(pool: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(pool)
        .await
        .unwrap()
}

const INSERT: &str = "INSERT INTO users (name) VALUES (?)";
