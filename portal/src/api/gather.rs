//! Tallies of calls by group.

use std::collections::HashMap;
use std::hash::Hash;

use crate::api::ask::Ask;
use crate::api::numbers::{Buckets, Tally};
use crate::server::ApiError;
use crate::store::{ItemKind, Range, Reader, Series, SeriesKind};

pub(super) type Tallies<K> = HashMap<K, Tally>;

/// Tallies of one kind in a range, by key. Series without a key are skipped.
pub(super) fn by_key<K: Eq + Hash>(
    reader: &Reader,
    ask: &Ask,
    (kind, range): (SeriesKind, Range),
    key: impl Fn(&Series) -> Option<K>,
) -> Result<Tallies<K>, ApiError> {
    let mut tallies = Tallies::new();
    let mut keys: HashMap<i64, Option<Tally>> = HashMap::new();
    reader.rollups(
        kind,
        (ask.grain(range), range),
        &|series| ask.accepts(series),
        &mut |_, series, cell| {
            let tally = keys
                .entry(series.id)
                .or_insert_with(|| key(series).map(|_| Tally::default()));
            if let Some(tally) = tally {
                tally.add(series, cell);
            }
        },
    )?;
    for (id, tally) in keys {
        if let (Some(series), Some(tally)) = (reader.series(id), tally)
            && let Some(key) = key(series)
        {
            tallies.entry(key).or_default().merge(&tally);
        }
    }
    Ok(tallies)
}

/// The same for the comparison range; empty without one.
pub(super) fn was_by_key<K: Eq + Hash>(
    reader: &Reader,
    ask: &Ask,
    kind: SeriesKind,
    key: impl Fn(&Series) -> Option<K>,
) -> Result<Tallies<K>, ApiError> {
    match ask.vs {
        Some(vs) => by_key(reader, ask, (kind, vs), key),
        None => Ok(Tallies::new()),
    }
}

/// Tallies by chart bucket, for each key.
pub(super) fn buckets_by_key<K: Eq + Hash>(
    reader: &Reader,
    ask: &Ask,
    kind: SeriesKind,
    key: impl Fn(&Series) -> Option<K>,
) -> Result<HashMap<K, Buckets>, ApiError> {
    let steps = ask.steps();
    let mut found: HashMap<K, Buckets> = HashMap::new();
    reader.rollups(
        kind,
        (steps.grain, ask.range),
        &|series| ask.accepts(series),
        &mut |time, series, cell| {
            if let Some(key) = key(series) {
                found
                    .entry(key)
                    .or_insert_with(|| Buckets::new(steps))
                    .add(time, series, cell);
            }
        },
    )?;
    Ok(found)
}

/// Tallies by chart bucket.
pub(super) fn buckets(
    reader: &Reader,
    ask: &Ask,
    kind: SeriesKind,
    accept: impl Fn(&Series) -> bool,
) -> Result<Buckets, ApiError> {
    let steps = ask.steps();
    let mut found = Buckets::new(steps);
    let is_asked = |series: &Series| ask.accepts(series) && accept(series);
    reader.rollups(
        kind,
        (steps.grain, ask.range),
        &is_asked,
        &mut |time, series, cell| {
            found.add(time, series, cell);
        },
    )?;
    Ok(found)
}

/// One tally for a range.
pub(super) fn total(
    reader: &Reader,
    ask: &Ask,
    (kind, range): (SeriesKind, Range),
    accept: impl Fn(&Series) -> bool,
) -> Result<Tally, ApiError> {
    let mut tally = Tally::default();
    let is_asked = |series: &Series| ask.accepts(series) && accept(series);
    reader.rollups(
        kind,
        (ask.grain(range), range),
        &is_asked,
        &mut |_, series, cell| tally.add(series, cell),
    )?;
    Ok(tally)
}

pub(super) const REQUEST: SeriesKind = SeriesKind::Item(ItemKind::Request);
pub(super) const DEPENDENCY: SeriesKind = SeriesKind::Item(ItemKind::Dependency);
pub(super) const EXCEPTION: SeriesKind = SeriesKind::Item(ItemKind::Exception);
pub(super) const PAGE_VIEW: SeriesKind = SeriesKind::Item(ItemKind::PageView);
