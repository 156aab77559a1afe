//! Rows for the query language, in pages. The JSON of an item is read only where a query needs it.

use std::ops::ControlFlow;

use rusqlite::{params, params_from_iter};

use crate::store::filter::Range;
use crate::store::prepared::SeriesKind;
use crate::store::reader::Reader;
use crate::store::{ItemKind, hash};

/// The JSON of rows is read in one scan if their ids are less than this far apart on average.
const DENSE: i64 = 4;

/// The rows of a kind that a query reads.
#[derive(Debug, Clone)]
pub(crate) struct TableQuery {
    pub(crate) kind: ItemKind,
    pub(crate) app: Option<String>,
    pub(crate) range: Range,
    /// Items of these operations. The result may contain others whose ids have the same hash.
    pub(crate) operations: Option<Vec<String>>,
    /// The order by time: newest first if true.
    pub(crate) newest_first: Option<bool>,
}

/// Time and id of the row after which a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableCursor {
    time: i64,
    id: i64,
}

/// The data of an item without its JSON. Times are microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableRow {
    pub(crate) id: i64,
    pub(crate) time: i64,
    pub(crate) weight: i64,
    /// Microseconds.
    pub(crate) duration: Option<i64>,
    pub(crate) series: i64,
}

impl Reader {
    /// At most this number of rows of a kind after the cursor, and the start of the next page; `None` after the last
    /// row.
    pub(crate) fn table(
        &self,
        query: &TableQuery,
        after: Option<TableCursor>,
        limit: usize,
    ) -> rusqlite::Result<(Vec<TableRow>, Option<TableCursor>)> {
        let wanted = self.wanted(query);
        let mut sql = "SELECT id, time, weight, duration, series FROM items WHERE TRUE".to_owned();
        let mut parameters = Vec::new();
        // With a condition on the time, SQLite reads by the index of times, and sorts all rows for the order by id.
        if query.range != Range::ALL {
            sql.push_str(" AND time >= ? AND time < ?");
            parameters.extend([query.range.from, query.range.to]);
        }
        if let Some(operations) = &query.operations {
            let marks = vec!["?"; operations.len()].join(", ");
            sql.push_str(&format!(" AND operation IN ({marks})"));
            parameters.extend(operations.iter().map(|id| hash::stable(&[id])));
        }
        let by_time = query.newest_first.is_some() || query.range != Range::ALL;
        if let Some(TableCursor { time, id }) = after {
            if by_time {
                sql.push_str(match query.newest_first {
                    Some(true) => " AND (time, id) < (?, ?)",
                    Some(false) | None => " AND (time, id) > (?, ?)",
                });
                parameters.extend([time, id]);
            } else {
                sql.push_str(" AND id > ?");
                parameters.push(id);
            }
        }
        sql.push_str(match (query.newest_first, by_time) {
            (Some(true), _) => " ORDER BY time DESC, id DESC",
            (_, true) => " ORDER BY time, id",
            (_, false) => " ORDER BY id",
        });
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            let series: i64 = row.get(4)?;
            if !is_wanted(&wanted, series) {
                continue;
            }
            let row = TableRow {
                id: row.get(0)?,
                time: row.get(1)?,
                weight: row.get(2)?,
                duration: row.get(3)?,
                series,
            };
            page.push(row);
            if page.len() >= limit {
                let cursor = TableCursor {
                    time: row.time,
                    id: row.id,
                };
                return Ok((page, Some(cursor)));
            }
        }
        Ok((page, None))
    }

    /// The number of rows of a query, without regard to operations.
    pub(crate) fn count_table(&self, query: &TableQuery) -> rusqlite::Result<u64> {
        let wanted = self.wanted(query);
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) FROM items WHERE series = ? AND time >= ? AND time < ?",
        )?;
        let mut count = 0;
        for series in self.all_series() {
            if is_wanted(&wanted, series.id) {
                let range = params![series.id, query.range.from, query.range.to];
                count += statement
                    .query_row(range, |row| row.get::<_, i64>(0))?
                    .cast_unsigned();
            }
        }
        Ok(count)
    }

    /// By the number of a series, whether its items are among the rows.
    fn wanted(&self, query: &TableQuery) -> Vec<bool> {
        self.all_series()
            .iter()
            .map(|series| {
                series.dims.kind == SeriesKind::Item(query.kind)
                    && query.app.as_ref().is_none_or(|app| *app == series.dims.app)
            })
            .collect()
    }

    /// Visits the JSON of rows, in their order, without removed rows.
    pub(crate) fn each_json(
        &self,
        rows: &[TableRow],
        visit: &mut dyn FnMut(&TableRow, &str) -> ControlFlow<()>,
    ) -> rusqlite::Result<()> {
        let is_sorted = rows.is_sorted_by_key(|row| row.id);
        if let ([first, .., last], true) = (rows, is_sorted)
            && last.id - first.id < DENSE * i64::try_from(rows.len()).unwrap_or(i64::MAX)
        {
            return self.each_json_between(rows, (first.id, last.id), visit);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT json FROM envelopes WHERE id = ?")?;
        for row in rows {
            let mut found = statement.query([row.id])?;
            let Some(envelope) = found.next()? else {
                continue;
            };
            if visit(row, envelope.get_ref(0)?.as_str().unwrap_or_default()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn each_json_between(
        &self,
        rows: &[TableRow],
        (first, last): (i64, i64),
        visit: &mut dyn FnMut(&TableRow, &str) -> ControlFlow<()>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, json FROM envelopes WHERE id >= ? AND id <= ? ORDER BY id",
        )?;
        let mut envelopes = statement.query([first, last])?;
        let mut rows = rows.iter().peekable();
        while let Some(envelope) = envelopes.next()? {
            let id: i64 = envelope.get(0)?;
            while rows.next_if(|row| row.id < id).is_some() {}
            let Some(row) = rows.next_if(|row| row.id == id) else {
                continue;
            };
            if visit(row, envelope.get_ref(1)?.as_str().unwrap_or_default()).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn is_wanted(wanted: &[bool], series: i64) -> bool {
    let index = usize::try_from(series).unwrap_or(0).wrapping_sub(1);
    wanted.get(index).copied().unwrap_or(false)
}
