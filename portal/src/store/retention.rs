//! Retention: removes the items that arrived first, to stay within the limits.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::ItemKind;
use crate::store::counters::Counters;
use crate::store::said::micros;
use crate::store::schema::GRAINS;

/// The number of items removed in one transaction. More would delay arriving items.
const CHUNK: i64 = 4_000;
/// The retention of the buckets of each grain, in microseconds. Buckets of the last grain are kept as long as
/// items.
const GRAIN_AGES: [i64; 3] = [
    2 * 3_600_000_000,
    48 * 3_600_000_000,
    60 * 24 * 3_600_000_000,
];

/// The limits of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) items: u64,
    pub(crate) bytes: u64,
    pub(crate) age: Option<Duration>,
}

/// Removes items beyond the limits, one or two chunks at a time.
pub(super) fn enforce(
    connection: &mut Connection,
    limits: &Limits,
    counters: &Counters,
) -> rusqlite::Result<()> {
    measure(connection, counters)?;
    for _ in 0..8 {
        let Some(until) = excess(connection, limits, counters)? else {
            return Ok(());
        };
        remove(connection, until, counters)?;
        measure(connection, counters)?;
    }
    Ok(())
}

/// The id up to which items must be removed now.
fn excess(
    connection: &Connection,
    limits: &Limits,
    counters: &Counters,
) -> rusqlite::Result<Option<i64>> {
    let items = counters.items.load(Ordering::Relaxed);
    let bytes = counters.bytes.load(Ordering::Relaxed);
    let oldest: Option<i64> = connection
        .prepare_cached("SELECT min(id) FROM items")?
        .query_row([], |row| row.get(0))?;
    let Some(oldest) = oldest else {
        return Ok(None);
    };
    let over = items - i64::try_from(limits.items).unwrap_or(i64::MAX);
    if over > 0 {
        return Ok(Some(oldest + over.min(CHUNK) - 1));
    }
    // A database without rows is not empty, so the last item stays, whatever its size.
    if bytes > i64::try_from(limits.bytes).unwrap_or(i64::MAX) && items > 1 {
        return Ok(Some(oldest + CHUNK.min(items / 2).max(1) - 1));
    }
    if let Some(age) = limits.age {
        let oldest_allowed = SystemTime::now().checked_sub(age).map_or(i64::MIN, micros);
        let too_old: Option<i64> = connection
            .prepare_cached("SELECT max(id) FROM (SELECT id, received FROM items ORDER BY id LIMIT ?) WHERE received < ?")?
            .query_row(params![CHUNK, oldest_allowed], |row| row.get(0))
            .optional()?
            .flatten();
        return Ok(too_old);
    }
    Ok(None)
}

fn remove(connection: &mut Connection, until: i64, counters: &Counters) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut by_kind = Vec::new();
    {
        let mut statement = transaction.prepare_cached(
            "SELECT s.kind, count(*) FROM items i JOIN series s ON s.id = i.series WHERE i.id <= ? GROUP BY s.kind",
        )?;
        let mut rows = statement.query([until])?;
        while let Some(row) = rows.next()? {
            by_kind.push((row.get::<_, u8>(0)?, row.get::<_, i64>(1)?));
        }
    }
    for sql in [
        "DELETE FROM words WHERE rowid IN (SELECT id FROM items WHERE id <= ?)",
        "DELETE FROM envelopes WHERE id <= ?",
        "DELETE FROM items WHERE id <= ?",
    ] {
        transaction.prepare_cached(sql)?.execute([until])?;
    }
    remove_buckets(&transaction)?;
    transaction.commit()?;
    for (code, count) in by_kind {
        if let Some(kind) = ItemKind::from_code(code) {
            counters.removed(kind, count);
        }
        counters.items.fetch_sub(count, Ordering::Relaxed);
        counters
            .dropped
            .fetch_add(count.cast_unsigned(), Ordering::Relaxed);
    }
    Ok(())
}

/// Buckets before the oldest item count removed items.
fn remove_buckets(connection: &Connection) -> rusqlite::Result<()> {
    let oldest: Option<i64> =
        connection.query_row("SELECT min(time) FROM items", [], |row| row.get(0))?;
    let now = micros(SystemTime::now());
    let codes = ItemKind::ALL
        .iter()
        .map(|kind| kind.code())
        .chain([101, 102]);
    let mut statement = connection
        .prepare_cached("DELETE FROM rollups WHERE grain = ? AND kind = ? AND bucket < ?")?;
    for code in codes {
        for (grain, length) in (0_u8..).zip(GRAINS) {
            let by_age = GRAIN_AGES
                .get(usize::from(grain))
                .map_or(i64::MIN, |age| now - age);
            let first = oldest.unwrap_or(i64::MAX).max(by_age);
            statement.execute(params![grain, code, first.div_euclid(length)])?;
        }
    }
    Ok(())
}

fn measure(connection: &Connection, counters: &Counters) -> rusqlite::Result<()> {
    let bytes: i64 = connection
        .prepare_cached(
            "SELECT (c.page_count - f.freelist_count) * s.page_size
             FROM pragma_page_count() c, pragma_freelist_count() f, pragma_page_size() s",
        )?
        .query_row([], |row| row.get(0))?;
    counters.bytes.store(bytes, Ordering::Relaxed);
    Ok(())
}

/// Counts the contents of the database.
pub(super) fn count(connection: &Connection, counters: &Counters) -> rusqlite::Result<()> {
    for kind in ItemKind::ALL {
        counters.set_held(kind, 0);
    }
    let mut all = 0;
    let mut statement = connection.prepare(
        "SELECT s.kind, count(*) FROM items i JOIN series s ON s.id = i.series GROUP BY s.kind",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let count: i64 = row.get(1)?;
        all += count;
        if let Some(kind) = ItemKind::from_code(row.get(0)?) {
            counters.set_held(kind, count);
        }
    }
    counters.items.store(all, Ordering::Relaxed);
    measure(connection, counters)
}

/// Removes all received items, or those of one application. Saved values stay.
pub(super) fn delete(
    connection: &mut Connection,
    app: Option<&str>,
    last_id: i64,
) -> rusqlite::Result<i64> {
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT OR REPLACE INTO saved VALUES ('', 'internal', 'last id', ?, 0)",
        [last_id.to_string()],
    )?;
    let deleted = match app {
        None => {
            let deleted = transaction.execute("DELETE FROM items", [])?;
            transaction.execute_batch(
                "DELETE FROM envelopes; INSERT INTO words (words) VALUES ('delete-all'); DELETE FROM rollups;
                 DELETE FROM problems; DELETE FROM runs; DELETE FROM instances; DELETE FROM clients;
                 DELETE FROM findings; DELETE FROM refusals;",
            )?;
            deleted
        }
        Some(app) => {
            let of_app = "(SELECT id FROM series WHERE app = ?1)";
            for table in ["words WHERE rowid", "envelopes WHERE id"] {
                let sql = format!(
                    "DELETE FROM {table} IN (SELECT id FROM items WHERE series IN {of_app})"
                );
                transaction.execute(&sql, [app])?;
            }
            transaction.execute(
                &format!("DELETE FROM rollups WHERE series IN {of_app}"),
                [app],
            )?;
            let deleted = transaction.execute(
                &format!("DELETE FROM items WHERE series IN {of_app}"),
                [app],
            )?;
            for table in ["problems", "runs", "instances", "clients", "findings"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE app = ?"), [app])?;
            }
            deleted
        }
    };
    transaction.commit()?;
    Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::ingestion::judge;
    use crate::store::{NewItem, Options, Store};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn event(name: &str) -> NewItem {
        let json = format!(
            r#"{{"name":"Event","time":"2026-11-20T12:00:00Z","iKey":"k","data":{{"baseType":"EventData","baseData":{{"name":"{name}"}}}}}}"#
        );
        judge(&RawValue::from_string(json).unwrap()).unwrap()
    }

    fn names(store: &Store) -> Vec<String> {
        let items = store.all().unwrap();
        items.iter().map(|item| item.name().into_owned()).collect()
    }

    /// Items that were received two hours ago are removed when the next items arrive, and when the store is opened.
    #[tokio::test]
    async fn items_are_removed_by_when_they_were_received() {
        let directory = std::env::temp_dir().join(format!("azmon-age-{}", std::process::id()));
        let options = Options {
            directory: Some(directory.clone()),
            limits: Limits {
                items: u64::MAX,
                bytes: u64::MAX,
                age: Some(HOUR),
            },
            max_pages: None,
        };
        let make_old = |ids: &str| {
            let other = Connection::open(directory.join("portal.db")).unwrap();
            let sql = format!(
                "UPDATE items SET received = received - {} WHERE id IN ({ids})",
                2 * HOUR.as_micros()
            );
            other.execute(&sql, []).unwrap();
        };
        let store = Store::open(&options).unwrap();
        let old = (0..3).map(|index| event(&format!("old {index}")));
        store.append(old.collect()).await.unwrap();
        make_old("1, 2, 3");
        store.append(vec![event("new")]).await.unwrap();
        assert_eq!(names(&store), ["new"]);
        let counted = store.statistics();
        assert_eq!((counted.items, counted.dropped), (1, 3));

        store.append(vec![event("newer")]).await.unwrap();
        drop(store);
        make_old("4");
        let store = Store::open(&options).unwrap();
        // The writer checks before it takes items.
        store.write(|_| Ok(())).await.unwrap();
        assert_eq!(names(&store), ["newer"]);
        drop(store);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
