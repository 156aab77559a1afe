mod names {
    pub(super) use sqlx::pool::PoolConnection;
    pub(super) use sqlx::sqlite::SqlitePoolOptions;
    pub(super) use sqlx::{SqliteConnection, SqlitePool, SqliteTransaction, Transaction};
}

#[path = "source/mod.rs"]
mod source;
