//! Counts, sums and histograms by series and bucket, updated while items are written.

use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::histogram::Histogram;
use crate::store::said::MetricValue;
use crate::store::schema::GRAINS;

/// The maximum number of cells in memory between commits.
const MAX_CELLS: usize = 30_000;

/// The counts of one series in one bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    /// The sum of weights.
    pub(crate) count: i64,
    /// The number of items, without weights.
    pub(crate) items: i64,
    /// The weighted sum of microseconds, or of a metric's values.
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) histogram: Histogram,
}

impl Cell {
    fn add_duration(&mut self, duration: Option<i64>, weight: i64) {
        if let Some(duration) = duration {
            self.range(duration as f64, duration as f64);
            self.sum += duration as f64 * weight as f64;
            self.histogram.add(duration, weight.cast_unsigned());
        }
        self.count += weight;
        self.items += 1;
    }

    fn add_value(&mut self, value: MetricValue) {
        self.range(value.min, value.max);
        self.sum += value.sum;
        self.count += value.count;
        self.items += 1;
    }

    fn range(&mut self, min: f64, max: f64) {
        let is_first = self.items == 0;
        self.min = if is_first { min } else { self.min.min(min) };
        self.max = if is_first { max } else { self.max.max(max) };
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    grain: u8,
    kind: u8,
    bucket: i64,
    series: i64,
}

#[derive(Debug, Default)]
pub(super) struct Rollups {
    cells: HashMap<Key, (Cell, bool)>,
}

impl Rollups {
    /// Counts one item in the bucket of each grain.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        (kind, series): (u8, i64),
        time: i64,
        (duration, value, weight): (Option<i64>, Option<MetricValue>, i64),
    ) -> rusqlite::Result<()> {
        for (grain, length) in (0_u8..).zip(GRAINS) {
            let key = Key {
                grain,
                kind,
                bucket: time.div_euclid(length),
                series,
            };
            let (cell, is_dirty) = match self.cells.entry(key) {
                hashbrown::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                hashbrown::hash_map::Entry::Vacant(entry) => {
                    entry.insert((load(connection, key)?, false))
                }
            };
            *is_dirty = true;
            match value {
                Some(value) => cell.add_value(value),
                None => cell.add_duration(duration, weight),
            }
        }
        Ok(())
    }

    /// Writes the changed cells.
    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT OR REPLACE INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for (key, (cell, is_dirty)) in self.cells.iter_mut().filter(|(_, (_, is_dirty))| *is_dirty)
        {
            statement.execute(params![
                key.grain,
                key.kind,
                key.bucket,
                key.series,
                cell.count,
                cell.items,
                cell.sum,
                cell.min,
                cell.max,
                cell.histogram.encode()
            ])?;
            *is_dirty = false;
        }
        if self.cells.len() > MAX_CELLS {
            self.cells.clear();
        }
        Ok(())
    }

    /// Discards counts that were not committed.
    pub(super) fn forget(&mut self) {
        self.cells.clear();
    }
}

fn load(connection: &Connection, key: Key) -> rusqlite::Result<Cell> {
    let mut statement = connection.prepare_cached(
        "SELECT count, items, sum, min, max, histogram FROM rollups
         WHERE grain = ? AND kind = ? AND bucket = ? AND series = ?",
    )?;
    let cell = statement
        .query_row(
            params![key.grain, key.kind, key.bucket, key.series],
            |row| read(row, 0),
        )
        .optional()?;
    Ok(cell.unwrap_or_default())
}

/// Reads a cell from the columns that start at `first`.
pub(super) fn read(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Cell> {
    let mut cell = Cell {
        count: row.get(first)?,
        items: row.get(first + 1)?,
        sum: row.get(first + 2)?,
        min: row.get(first + 3)?,
        max: row.get(first + 4)?,
        histogram: Histogram::default(),
    };
    cell.histogram
        .merge_encoded(row.get_ref(first + 5)?.as_blob().unwrap_or_default());
    Ok(cell)
}
