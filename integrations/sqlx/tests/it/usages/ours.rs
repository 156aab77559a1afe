mod names {
    pub(super) use azmon_sqlx::sqlite::SqlitePoolOptions;
    pub(super) use azmon_sqlx::{
        PoolConnection, SqliteConnection, SqlitePool, SqliteTransaction, Transaction,
    };
}

#[path = "source/mod.rs"]
mod source;
