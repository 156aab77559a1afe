//! The number of affected users: distinct ids among items, read without their JSON.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use crate::server::ApiError;
use crate::store::{ItemFilter, Order, Reader, Series};

/// The maximum number of rows that are read.
const MAX_ROWS: usize = 50_000;

/// Distinct users of the matching items (sessions, if no user ids exist), by a key of their series.
pub(super) fn users<K: Eq + std::hash::Hash>(
    reader: &Reader,
    filter: &ItemFilter,
    key: impl Fn(&Series) -> K,
) -> Result<HashMap<K, usize>, ApiError> {
    let mut found: HashMap<K, HashSet<i64>> = HashMap::new();
    let mut count = 0;
    reader.rows(filter, Order::Newest, &mut |row| {
        if let (Some(user), Some(series)) = (row.user, reader.series(row.series)) {
            found.entry(key(series)).or_default().insert(user);
        }
        count += 1;
        if count < MAX_ROWS {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(found
        .into_iter()
        .map(|(key, users)| (key, users.len()))
        .collect())
}
