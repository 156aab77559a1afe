//! The narrow row of an item, from which most queries are answered without reading its JSON.

/// The narrow row of an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) time: i64,
    pub(crate) received: i64,
    pub(crate) series: i64,
    pub(crate) weight: i64,
    pub(crate) duration: Option<i64>,
    pub(crate) user: Option<i64>,
}

pub(super) const COLUMNS: &str = "id, time, received, series, weight, duration, user";

impl Row {
    pub(super) fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            time: row.get(1)?,
            received: row.get(2)?,
            series: row.get(3)?,
            weight: row.get(4)?,
            duration: row.get(5)?,
            user: row.get(6)?,
        })
    }
}
