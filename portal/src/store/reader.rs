//! Reads the database: one connection, and its queries.

use std::ops::ControlFlow;

use hashbrown::HashSet;
use rusqlite::{Connection, OptionalExtension, Rows, Statement, params};

use crate::store::dictionary::{Series, Snapshot};
use crate::store::filter::{ItemFilter, Range};
use crate::store::prepared::SeriesKind;
use crate::store::rollups::{self, Cell};
use crate::store::row::{COLUMNS, Row};
use crate::store::schema::GRAINS;
use crate::store::{Item, hash};

/// The maximum number of items of one query whose JSON is read.
const MAX_READ: usize = 20_000;
/// The maximum number of rows that one query visits.
const MAX_LOOKED_AT: usize = 400_000;
/// With more series than this, walking through time is cheaper than merging the series.
const MAX_MERGED: usize = 64;

/// The cost and completeness of a query.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scanned {
    /// The number of items whose JSON was read.
    pub(crate) read: usize,
    /// Whether a limit ended the query, so that more matches may exist.
    pub(crate) is_cut: bool,
    /// The id of the last visited row.
    pub(crate) last: i64,
}

/// The order in which matching items are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By time, newest first.
    Newest,
    /// By arrival, starting after an id.
    ArrivedAfter(i64),
    /// By arrival, newest first.
    LastArrived,
}

type Result<T> = rusqlite::Result<T>;

/// A connection for reading, with the series at the time of its use.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(super) connection: Connection,
    pub(super) series: Snapshot,
}

impl Reader {
    pub(crate) fn all_series(&self) -> &[std::sync::Arc<Series>] {
        &self.series
    }

    pub(crate) fn series(&self, id: i64) -> Option<&Series> {
        let index = usize::try_from(id).ok()?.checked_sub(1)?;
        self.series.get(index).map(AsRef::as_ref)
    }

    /// Visits the rows of the filter's series without reading JSON. Newest first by default.
    pub(crate) fn rows(
        &self,
        filter: &ItemFilter,
        order: Order,
        visit: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<Scanned> {
        let accepted: HashSet<i64> = self
            .series
            .iter()
            .filter(|series| filter.accepts(series))
            .map(|series| series.id)
            .collect();
        let mut looked_at = 0;
        let mut scanned = Scanned::default();
        let mut see = |row: &Row| {
            looked_at += 1;
            scanned.last = row.id;
            if accepted.contains(&row.series) && filter.takes(row) {
                return visit(row);
            }
            if looked_at >= MAX_LOOKED_AT {
                scanned.is_cut = true;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        if accepted.is_empty() {
            return Ok(scanned);
        }
        let full_text = filter.full_text();
        match (order, &filter.operation, full_text) {
            (Order::ArrivedAfter(id), _, _) => {
                let sql = format!("SELECT {COLUMNS} FROM items WHERE id > ? ORDER BY id");
                self.walk(&sql, params![id], &mut see)?;
            }
            (Order::LastArrived, None, None) => {
                let sql = format!("SELECT {COLUMNS} FROM items ORDER BY id DESC");
                self.walk(&sql, [], &mut see)?;
            }
            (_, Some(operation), _) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM items WHERE operation = ? ORDER BY time DESC, id DESC"
                );
                let key = hash::stable(&[operation]);
                self.walk(&sql, [key], &mut see)?;
            }
            (_, None, Some(query)) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM items WHERE id IN
                     (SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT {})
                     ORDER BY time DESC, id DESC",
                    MAX_READ + 1
                );
                self.walk(&sql, [query], &mut see)?;
            }
            (_, None, None) if accepted.len() <= MAX_MERGED => {
                self.merge(&accepted, filter.range, &mut see)?
            }
            (_, None, None) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM items WHERE time >= ? AND time < ? ORDER BY time DESC, id DESC"
                );
                let range = params![filter.range.from, filter.range.to];
                self.walk(&sql, range, &mut see)?;
            }
        }
        Ok(scanned)
    }

    fn walk(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        see: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        while let Some(row) = rows.next()? {
            if see(&Row::of(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Merges several series, the newest row first.
    fn merge(
        &self,
        accepted: &HashSet<i64>,
        range: Range,
        see: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<()> {
        let sql = format!(
            "SELECT {COLUMNS} FROM items WHERE series = ? AND time >= ? AND time < ? ORDER BY time DESC, id DESC"
        );
        let mut statements: Vec<(i64, Statement<'_>)> = Vec::with_capacity(accepted.len());
        for series in accepted {
            statements.push((*series, self.connection.prepare(&sql)?));
        }
        let mut streams: Vec<(Row, Rows<'_>)> = Vec::new();
        for (series, statement) in &mut statements {
            let mut rows = statement.query(params![*series, range.from, range.to])?;
            if let Some(row) = rows.next()? {
                let head = Row::of(row)?;
                streams.push((head, rows));
            }
        }
        loop {
            let newest = streams
                .iter()
                .enumerate()
                .max_by_key(|(_, (head, _))| (head.time, head.id))
                .map(|(index, _)| index);
            let Some(index) = newest else {
                return Ok(());
            };
            let Some((head, rows)) = streams.get_mut(index) else {
                return Ok(());
            };
            if see(head).is_break() {
                return Ok(());
            }
            match rows.next()? {
                Some(row) => *head = Row::of(row)?,
                None => {
                    drop(streams.swap_remove(index));
                }
            }
        }
    }

    /// Visits matching items. `visit` receives the fields of the filters that an item failed; most callers want
    /// none.
    pub(crate) fn items(
        &self,
        filter: &ItemFilter,
        order: Order,
        visit: &mut dyn FnMut(Item, &Row, &[&str]) -> ControlFlow<()>,
    ) -> Result<Scanned> {
        let mut read = 0;
        let mut is_cut = false;
        let mut failure = None;
        // The index returns only items that match all filters. A caller that counts failed filters walks without
        // it.
        let mut scanned = self.rows(filter, order, &mut |row| {
            if read >= MAX_READ {
                is_cut = true;
                return ControlFlow::Break(());
            }
            read += 1;
            let item = match self.read(row.id, row.received) {
                Ok(Some(item)) => item,
                Ok(None) => return ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
            };
            let Some(series) = self.series(row.series) else {
                return ControlFlow::Continue(());
            };
            if !filter.matches(&item, series) {
                return ControlFlow::Continue(());
            }
            let failed: Vec<&str> = filter
                .filters
                .iter()
                .filter(|(_, expression)| !expression.matches(&item))
                .map(|(field, _)| field.as_str())
                .collect();
            visit(item, row, &failed)
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        scanned.read = read;
        scanned.is_cut |= is_cut;
        Ok(scanned)
    }

    /// Visits the items that match all filters.
    pub(crate) fn matching(
        &self,
        filter: &ItemFilter,
        order: Order,
        visit: &mut dyn FnMut(Item, &Row) -> ControlFlow<()>,
    ) -> Result<Scanned> {
        self.items(filter, order, &mut |item, row, failed| {
            if failed.is_empty() {
                visit(item, row)
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    /// At most this many matching items, and whether more exist.
    pub(crate) fn list(
        &self,
        filter: &ItemFilter,
        order: Order,
        limit: usize,
    ) -> Result<(Vec<Item>, bool, Scanned)> {
        let mut found = Vec::new();
        let mut is_more = false;
        let scanned = self.matching(filter, order, &mut |item, _| {
            if found.len() == limit {
                is_more = true;
                return ControlFlow::Break(());
            }
            found.push(item);
            ControlFlow::Continue(())
        })?;
        Ok((found, is_more || scanned.is_cut, scanned))
    }

    /// The stored item with this id.
    pub(crate) fn item(&self, id: i64) -> Result<Option<Item>> {
        let received = self
            .connection
            .prepare_cached("SELECT received FROM items WHERE id = ?")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        match received {
            Some(received) => self.read(id, received),
            None => Ok(None),
        }
    }

    /// The narrow row of an item.
    pub(crate) fn row(&self, id: i64) -> Result<Option<Row>> {
        self.connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM items WHERE id = ?"))?
            .query_row([id], Row::of)
            .optional()
    }

    fn read(&self, id: i64, received: i64) -> Result<Option<Item>> {
        let json: Option<String> = self
            .connection
            .prepare_cached("SELECT json FROM envelopes WHERE id = ?")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let Some(json) = json else {
            return Ok(None);
        };
        Item::read(id, received, json).map(Some).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                0,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })
    }

    /// Visits the cells of a kind in a range, by bucket: the start of each, its series and its counts.
    pub(crate) fn rollups(
        &self,
        kind: SeriesKind,
        (grain, range): (u8, Range),
        accept: &dyn Fn(&Series) -> bool,
        visit: &mut dyn FnMut(i64, &Series, &Cell),
    ) -> Result<()> {
        let length = GRAINS.get(usize::from(grain)).copied().unwrap_or(GRAINS[1]);
        let accepted: HashSet<i64> = self
            .series
            .iter()
            .filter(|series| series.dims.kind == kind && accept(series))
            .map(|series| series.id)
            .collect();
        if accepted.is_empty() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT bucket, series, count, items, sum, min, max, histogram FROM rollups
             WHERE grain = ? AND kind = ? AND bucket >= ? AND bucket < ?",
        )?;
        let first = range.from.div_euclid(length);
        let end = range.to.saturating_add(length - 1).div_euclid(length);
        let mut rows = statement.query(params![grain, kind.code(), first, end])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(1)?;
            if !accepted.contains(&id) {
                continue;
            }
            if let Some(series) = self.series(id) {
                visit(
                    row.get::<_, i64>(0)? * length,
                    series,
                    &rollups::read(row, 2)?,
                );
            }
        }
        Ok(())
    }

    /// The times of the oldest and the newest item.
    pub(crate) fn kept(&self) -> Result<Option<(i64, i64)>> {
        let end = |sql| {
            self.connection
                .prepare_cached(sql)?
                .query_row([], |row| row.get::<_, Option<i64>>(0))
        };
        let (oldest, newest) = (
            end("SELECT min(time) FROM items")?,
            end("SELECT max(time) FROM items")?,
        );
        Ok(oldest.zip(newest))
    }
}
