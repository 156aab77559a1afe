use sqlx_sqlite::{Sqlite, SqliteConnectOptions, SqliteQueryResult};

use super::{Driver, Target, executor_methods};
use crate::Dialect;

impl Driver for Sqlite {
    const SYSTEM: &'static str = "sqlite";
    const DIALECT: Dialect = Dialect::Sqlite;
    /// It works on a thread of its own, which no context reaches.
    const LOGS_IN_PLACE: bool = false;

    /// The namespace is the name of the file without its folders, or `:memory:`.
    fn target(options: &SqliteConnectOptions) -> Target {
        let file = options
            .get_filename()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        // sqlx numbers the databases that it keeps in memory.
        let namespace = match file.contains(":memory:") || file.starts_with("file:sqlx-in-memory-")
        {
            true => ":memory:",
            false => &file,
        };
        Target::of::<Self>().namespace(namespace)
    }

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    executor_methods!();
}
