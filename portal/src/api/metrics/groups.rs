//! The points of a metric by the values of the split dimensions, from rollups or, if these do not suffice, from items.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::api::ask::{Ask, Steps};
use crate::api::metrics::exemplars::{Exemplar, sent_exemplars, thinned};
use crate::api::metrics::points::{Aggregation, Of, Points};
use crate::api::metrics::standard::Standard;
use crate::api::time::Time;
use crate::server::ApiError;
use crate::store::fields::Field;
use crate::store::{Cell, Item, ItemFilter, Order, Range, Reader, SeriesKind};

/// The maximum number of series before the largest are selected.
const MAX_SERIES: usize = 2_000;

/// The parameters of a metric request.
pub(super) struct Wanted {
    pub(super) standard: Option<Standard>,
    pub(super) filter: ItemFilter,
    pub(super) namespace: Option<String>,
    pub(super) split: Vec<(String, Field)>,
    pub(super) aggregation: Aggregation,
}

impl Wanted {
    pub(super) fn of(&self) -> Of {
        self.standard.map_or(Of::Value, Standard::of)
    }

    /// The values of the split dimensions of an item.
    fn key(&self, item: &Item) -> Vec<String> {
        let text = |field: &Field| field.of(item).map(|value| value.text().into_owned());
        let split = self.split.iter();
        split
            .map(|(_, field)| text(field).unwrap_or_default())
            .collect()
    }
}

pub(super) type Groups = HashMap<Vec<String>, (Points, Vec<Exemplar>)>;

/// Points by the values of the split dimensions.
pub(super) fn gather(
    reader: &Reader,
    ask: &Ask,
    wanted: &Wanted,
    range: Range,
    steps: &Steps,
) -> Result<(Groups, usize, bool), ApiError> {
    let needs_items = !wanted.filter.filters.is_empty()
        || wanted
            .split
            .iter()
            .any(|(_, field)| of_series(field).is_none())
        || (wanted.standard.is_none() && wanted.aggregation.is_percentile())
        || wanted.aggregation == Aggregation::Unique;
    if needs_items {
        from_items(reader, wanted, range, steps)
    } else {
        from_rollups(reader, ask, wanted, range, steps)
    }
}

type Dimension = fn(&crate::store::Series) -> String;

/// The series dimension that corresponds to a field.
fn of_series(field: &Field) -> Option<Dimension> {
    use crate::store::fields::Column;
    let Field::Column(column) = field else {
        return None;
    };
    Some(match column {
        Column::Role => |series| series.dims.role.clone(),
        Column::Instance => |series| series.dims.instance.clone(),
        Column::Name => |series| series.dims.name.clone(),
        Column::Target => |series| series.dims.target.clone(),
        Column::Type => |series| series.dims.type_name.clone(),
        Column::ResultCode => |series| series.dims.result.clone(),
        Column::OperationName => |series| series.dims.operation.clone(),
        Column::Success => |series| match series.dims.success {
            Some(true) => "True".to_owned(),
            Some(false) => "False".to_owned(),
            None => String::new(),
        },
        _ => return None,
    })
}

fn from_rollups(
    reader: &Reader,
    ask: &Ask,
    wanted: &Wanted,
    range: Range,
    steps: &Steps,
) -> Result<(Groups, usize, bool), ApiError> {
    let mut groups = Groups::new();
    let dimensions: Vec<Dimension> = wanted
        .split
        .iter()
        .filter_map(|(_, field)| of_series(field))
        .collect();
    let of = wanted.of();
    for kind in &wanted.filter.kinds {
        let accept = |series: &crate::store::Series| {
            ask.accepts(series)
                && wanted.filter.accepts(series)
                && wanted
                    .namespace
                    .as_deref()
                    .is_none_or(|namespace| namespace == series.dims.type_name)
        };
        let visit = &mut |time, series: &crate::store::Series, cell: &Cell| {
            let key: Vec<String> = dimensions
                .iter()
                .map(|dimension| dimension(series))
                .collect();
            if groups.len() < MAX_SERIES || groups.contains_key(&key) {
                let (points, _) = groups
                    .entry(key)
                    .or_insert_with(|| (Points::new(steps), Vec::new()));
                points.add_cell(steps, time, cell, of);
            }
        };
        reader.rollups(
            SeriesKind::Item(*kind),
            (steps.grain, range),
            &accept,
            visit,
        )?;
    }
    Ok((groups, 0, true))
}

fn from_items(
    reader: &Reader,
    wanted: &Wanted,
    range: Range,
    steps: &Steps,
) -> Result<(Groups, usize, bool), ApiError> {
    let mut groups = Groups::new();
    let filter = ItemFilter {
        range,
        ..wanted.filter.clone()
    };
    let scanned = reader.matching(&filter, Order::Newest, &mut |item, row| {
        let is_of_namespace = wanted
            .namespace
            .as_deref()
            .is_none_or(|namespace| item.type_name().unwrap_or_default() == namespace);
        if !is_of_namespace {
            return ControlFlow::Continue(());
        }
        let key = wanted.key(&item);
        if groups.len() < MAX_SERIES || groups.contains_key(&key) {
            let (points, exemplars) = groups
                .entry(key)
                .or_insert_with(|| (Points::new(steps), Vec::new()));
            points.add_item(steps, row.time, &item, wanted.of());
            exemplars.extend(sent_exemplars(&item));
        }
        ControlFlow::Continue(())
    })?;
    Ok((groups, scanned.read, !scanned.is_cut))
}

/// Adds some of the newest items of each series as exemplars of its durations.
pub(super) fn add_exemplars(
    reader: &Reader,
    wanted: &Wanted,
    standard: Standard,
    steps: &Steps,
    per_bucket: usize,
    groups: &mut Groups,
) -> Result<(), ApiError> {
    const MAX_LOOKED_AT: usize = 1_000;
    let mut count = 0;
    let filter = ItemFilter {
        kinds: vec![standard.kind],
        ..wanted.filter.clone()
    };
    reader.matching(&filter, Order::Newest, &mut |item, row| {
        count += 1;
        let key = wanted.key(&item);
        if let (Some(operation), Some(duration), Some((_, exemplars))) =
            (item.operation_id(), item.duration(), groups.get_mut(&key))
        {
            exemplars.push(Exemplar {
                timestamp: Time(row.time),
                value: duration.as_secs_f64() * 1_000.0,
                operation_id: operation.to_owned(),
                item_id: item.id(),
                success: item.success().unwrap_or(true),
                name: item.name().into_owned(),
            });
        }
        if count < MAX_LOOKED_AT {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    for (_, exemplars) in groups.values_mut() {
        *exemplars = thinned(std::mem::take(exemplars), steps, per_bucket);
    }
    Ok(())
}
