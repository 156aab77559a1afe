//! The database: its tables, its version, and its migrations.
//!
//! | Table | Holds |
//! |---|---|
//! | `items` | one narrow row per item: time, series, duration, and the hashes that searches use |
//! | `envelopes` | the JSON of each item as it was sent |
//! | `words` | full-text index of the words of each item |
//! | `series` | the dictionary of counted combinations (application, kind, role, name, target, type, result, …) |
//! | `rollups` | count, sum and histogram by series and bucket of ten seconds, a minute, ten minutes, an hour |
//! | `problems`, `runs`, `instances`, `clients`, `findings`, `refusals` | facts beside the counts |
//! | `saved` | values that pages save |
//!
//! The views `requests`, `dependencies`, `traces`, … have the columns of Application Insights, for other tools.

use rusqlite::{Connection, Transaction};

use crate::store::views;

/// Incremented with each change of the tables; [`migrate`] has a step for each version.
const VERSION: i64 = 2;

/// `PRAGMA application_id`: "azmn".
const APPLICATION: i64 = 0x617a_6d6e;

/// The lengths of a bucket in microseconds, the finest first.
pub(crate) const GRAINS: [i64; 4] = [10_000_000, 60_000_000, 600_000_000, 3_600_000_000];

/// The tables of version 1.
const TABLES: &str = "
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    received INTEGER NOT NULL,
    series INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    duration INTEGER,
    operation INTEGER,
    user INTEGER
);
CREATE INDEX items_time ON items (time);
CREATE INDEX items_series ON items (series, time);
CREATE INDEX items_operation ON items (operation) WHERE operation IS NOT NULL;
CREATE TABLE envelopes (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (
    text, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0'
);
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    app TEXT NOT NULL, kind INTEGER NOT NULL, role TEXT NOT NULL, instance TEXT NOT NULL, name TEXT NOT NULL,
    operation TEXT NOT NULL, target TEXT NOT NULL, type TEXT NOT NULL, result TEXT NOT NULL, success INTEGER,
    is_browser INTEGER NOT NULL
);
CREATE TABLE rollups (
    grain INTEGER NOT NULL, kind INTEGER NOT NULL, bucket INTEGER NOT NULL, series INTEGER NOT NULL,
    count INTEGER NOT NULL, items INTEGER NOT NULL, sum REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL,
    histogram BLOB NOT NULL,
    PRIMARY KEY (grain, kind, bucket, series)
) WITHOUT ROWID;
CREATE TABLE problems (
    id INTEGER PRIMARY KEY,
    app TEXT NOT NULL, role TEXT NOT NULL, problem TEXT NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL,
    method TEXT NOT NULL, is_browser INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    first_run INTEGER NOT NULL, item INTEGER NOT NULL,
    UNIQUE (app, role, problem)
);
CREATE TABLE runs (
    app TEXT NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL, reason TEXT NOT NULL, role TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (app, number)
);
CREATE TABLE instances (
    app TEXT NOT NULL, role TEXT NOT NULL, instance TEXT NOT NULL, version TEXT NOT NULL, process TEXT NOT NULL,
    is_browser INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    PRIMARY KEY (app, role, instance)
);
CREATE TABLE clients (
    app TEXT NOT NULL, sdk TEXT NOT NULL, role TEXT NOT NULL, items INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    delays BLOB NOT NULL,
    PRIMARY KEY (app, sdk, role)
);
CREATE TABLE findings (
    app TEXT NOT NULL, id TEXT NOT NULL, detail TEXT NOT NULL, role TEXT NOT NULL, sdk TEXT NOT NULL,
    items INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, sample INTEGER NOT NULL,
    PRIMARY KEY (app, id, detail, role, sdk)
);
CREATE TABLE refusals (
    message TEXT PRIMARY KEY, items INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL
);
CREATE TABLE saved (
    app TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, updated INTEGER NOT NULL,
    PRIMARY KEY (app, kind, name)
);
";

/// Version 2: rejections are counted by client.
const REFUSALS_BY_CLIENT: &str = "
CREATE TABLE refusals_by_client (
    message TEXT NOT NULL, client TEXT NOT NULL, items INTEGER NOT NULL, first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (message, client)
);
INSERT INTO refusals_by_client SELECT message, '', items, first_seen, last_seen FROM refusals;
DROP TABLE refusals;
ALTER TABLE refusals_by_client RENAME TO refusals;
";

/// The reason why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error(
        "it was written by a newer version of azmon (version {0} of the tables, this one knows {VERSION})"
    )]
    Newer(i64),
    #[error("it belongs to another program")]
    Foreign,
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

/// Creates the tables of a new database, and migrates an older one.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), SchemaError> {
    let transaction = connection.transaction()?;
    let pragma =
        |name| transaction.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION {
        return Err(SchemaError::Foreign);
    }
    if version > VERSION {
        return Err(SchemaError::Newer(version));
    }
    for step in version..VERSION {
        apply(&transaction, step)?;
    }
    transaction.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
    ))?;
    transaction.commit()?;
    Ok(())
}

/// The step from one version to the next.
fn apply(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    match from {
        0 => {
            transaction.execute_batch(TABLES)?;
            transaction.execute_batch(&views::all())
        }
        1 => transaction.execute_batch(REFUSALS_BY_CLIENT),
        _ => Ok(()),
    }
}

/// The settings of a connection. A commit survives the end of the process, but not of the machine.
pub(super) fn configure(connection: &Connection, cache_kibibytes: u32) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -{cache_kibibytes};
         PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864; PRAGMA busy_timeout = 5000;
         PRAGMA trusted_schema = OFF;"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_database_has_every_table_and_view() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        for name in [
            "items",
            "rollups",
            "requests",
            "dependencies",
            "exceptions",
            "traces",
            "customMetrics",
            "pageViews",
        ] {
            connection
                .execute_batch(&format!("SELECT * FROM {name} LIMIT 1"))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        migrate(&mut connection).unwrap();
    }

    #[test]
    fn a_database_of_version_1_is_brought_up_to_date() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        connection.execute_batch(&views::all()).unwrap();
        let old = format!(
            "INSERT INTO refusals VALUES ('too long', 3, 10, 20);
             PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1"
        );
        connection.execute_batch(&old).unwrap();
        migrate(&mut connection).unwrap();
        let sql = "SELECT message, client, items, first_seen, last_seen FROM refusals";
        let found: (String, String, i64, i64, i64) =
            connection.query_row(sql, [], |row| row.try_into()).unwrap();
        assert_eq!(found, ("too long".to_owned(), String::new(), 3, 10, 20));
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, VERSION);
    }

    #[test]
    fn a_database_of_a_newer_version_or_of_another_program_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection
            .execute_batch("PRAGMA user_version = 99")
            .unwrap();
        assert!(matches!(
            migrate(&mut connection),
            Err(SchemaError::Newer(99))
        ));

        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE notes (text)")
            .unwrap();
        assert!(matches!(
            migrate(&mut connection),
            Err(SchemaError::Foreign)
        ));
    }
}
