use std::ffi::OsStr;

use sqlx_sqlite::{Sqlite, SqliteConnectOptions, SqliteQueryResult};

use super::{Driver, MEMORY, Target, executor_methods};
use crate::Dialect;

impl Driver for Sqlite {
    const SYSTEM: &'static str = "sqlite";
    const DIALECT: Dialect = Dialect::Sqlite;
    /// SQLite runs in its own thread, which has no context.
    const LOGS_IN_PLACE: bool = false;

    /// The namespace is the file name without its directories, or `:memory:`. A database in a temporary file has
    /// no namespace.
    fn target(options: &SqliteConnectOptions) -> Target {
        let target = Target::of::<Self>();
        let file = options
            .get_filename()
            .file_name()
            .map(OsStr::to_string_lossy);
        match file {
            // sqlx numbers its in-memory databases.
            Some(file) if file.contains(MEMORY) || file.starts_with("file:sqlx-in-memory-") => {
                target.namespace(MEMORY)
            }
            Some(file) => target.namespace(file),
            None => target,
        }
    }

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    executor_methods!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_its_file() {
        for (url, namespace) in [
            ("sqlite:data.db", Some("data.db")),
            ("sqlite://data.db?mode=rwc", Some("data.db")),
            ("sqlite:///srv/my%20db", Some("my db")),
            ("sqlite::memory:", Some(":memory:")),
            ("sqlite://", None),
        ] {
            let target = Sqlite::target(&url.parse().unwrap());
            assert_eq!(target.namespace.as_deref(), namespace, "{url}");
        }
    }
}
