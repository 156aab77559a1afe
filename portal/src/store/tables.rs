//! Rows for the query language: narrow rows directly, an item's JSON only where a query needs it.

use std::ops::ControlFlow;

use rusqlite::{OptionalExtension, params_from_iter};

use crate::store::prepared::SeriesKind;
use crate::store::reader::{Range, Reader};
use crate::store::{ItemKind, hash};

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
    pub(crate) limit: usize,
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
    /// Visits the rows of a kind.
    pub(crate) fn table(
        &self,
        query: &TableQuery,
        visit: &mut dyn FnMut(TableRow) -> ControlFlow<()>,
    ) -> rusqlite::Result<()> {
        let wanted: Vec<bool> = self
            .all_series()
            .iter()
            .map(|series| {
                series.dims.kind == SeriesKind::Item(query.kind)
                    && query.app.as_ref().is_none_or(|app| *app == series.dims.app)
            })
            .collect();
        let mut sql =
            "SELECT id, time, weight, duration, series FROM items WHERE time >= ? AND time < ?"
                .to_owned();
        let mut parameters = vec![query.range.from, query.range.to];
        if let Some(operations) = &query.operations {
            let marks = vec!["?"; operations.len()].join(", ");
            sql.push_str(&format!(" AND operation IN ({marks})"));
            parameters.extend(operations.iter().map(|id| hash::stable(&[id])));
        }
        sql.push_str(match query.newest_first {
            Some(true) => " ORDER BY time DESC, id DESC",
            Some(false) => " ORDER BY time, id",
            None => "",
        });
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        let mut left = query.limit;
        while left > 0
            && let Some(row) = rows.next()?
        {
            let series: i64 = row.get(4)?;
            let index = usize::try_from(series).unwrap_or(0).wrapping_sub(1);
            if !wanted.get(index).copied().unwrap_or(false) {
                continue;
            }
            left -= 1;
            let row = TableRow {
                id: row.get(0)?,
                time: row.get(1)?,
                weight: row.get(2)?,
                duration: row.get(3)?,
                series,
            };
            if visit(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The JSON of an item; `None` if it was removed.
    pub(crate) fn json(&self, id: i64) -> rusqlite::Result<Option<String>> {
        self.connection
            .prepare_cached("SELECT json FROM envelopes WHERE id = ?")?
            .query_row([id], |row| row.get(0))
            .optional()
    }
}
