//! A SQLite database in memory. It belongs to its connection, so the pool has one connection.

use azmon_sqlx::SqlitePool;
use azmon_sqlx::sqlite::SqlitePoolOptions;

/// Opens a database, and runs the statements that create its tables.
pub(crate) async fn open(statements: &'static [&'static str]) -> sqlx::Result<SqlitePool> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await?;
    for statement in statements {
        sqlx::query(*statement).execute(&pool).await?;
    }
    Ok(pool)
}
