//! `make-series`: arrays over an axis.

use hashbrown::HashMap;

use super::{Stream, drain};
use crate::batch::{Batch, Vector};
use crate::column::ColumnBuilder;
use crate::error::{Error, Result};
use crate::eval::Evaluator;
use crate::functions::MAX_ARRAY;
use crate::plan::Series;
use crate::types::Type;
use crate::value::Value;

pub(super) fn run(
    series: &Series,
    mut input: Box<dyn Stream>,
    evaluator: &mut Evaluator,
) -> Result<Batch> {
    let rows = drain(&mut *input, &series.input.types, evaluator)?;
    let axis_column = series.keys;
    let axis = axis(series, &rows, axis_column)?;
    let places: HashMap<Vec<u8>, usize> = axis
        .iter()
        .enumerate()
        .map(|(index, value)| (key(value), index))
        .collect();
    let width = series.defaults.len();
    let empty = || -> Vec<Vec<Value>> {
        series
            .defaults
            .iter()
            .map(|default| vec![default.clone(); axis.len()])
            .collect()
    };
    let mut groups: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut found: Vec<(usize, Vec<Vec<Value>>)> = Vec::new();
    for row in 0..rows.rows {
        let Some(place) = places.get(&key(&rows.get(axis_column, row))) else {
            continue;
        };
        let mut group = Vec::new();
        (0..series.keys).for_each(|column| rows.get(column, row).write_key(&mut group));
        let index = *groups.entry(group).or_insert_with(|| {
            found.push((row, empty()));
            found.len() - 1
        });
        evaluator.hold(
            0,
            found
                .len()
                .saturating_mul(axis.len() * (width + 1) * size_of::<Value>()),
        )?;
        for (column, values) in found[index].1.iter_mut().enumerate() {
            values[*place] = rows.get(axis_column + 1 + column, row);
        }
    }
    if found.is_empty() && series.non_empty && series.keys == 0 {
        found.push((0, empty()));
    }
    let axis = Value::array(axis);
    let count = found.len();
    let mut columns: Vec<Vector> = (0..series.keys)
        .map(|column| {
            let ty = series
                .input
                .types
                .get(column)
                .copied()
                .unwrap_or(Type::Dynamic);
            let mut builder = ColumnBuilder::new(ty);
            found
                .iter()
                .for_each(|(row, _)| builder.push(rows.get(column, *row)));
            builder.finish().into()
        })
        .collect();
    let mut builders: Vec<ColumnBuilder> = (0..width)
        .map(|_| ColumnBuilder::new(Type::Dynamic))
        .collect();
    for (_, arrays) in found {
        builders
            .iter_mut()
            .zip(arrays)
            .for_each(|(builder, array)| builder.push(Value::array(array)));
    }
    columns.extend(
        builders
            .into_iter()
            .map(|builder| Vector::from(builder.finish())),
    );
    columns.push(Vector::Const(axis));
    Ok(Batch {
        columns,
        rows: count,
    })
}

fn key(value: &Value) -> Vec<u8> {
    let mut key = Vec::new();
    value.write_key(&mut key);
    key
}

/// The bins from the first to the last, including empty ones.
#[expect(clippy::cast_precision_loss, reason = "at most a million bins")]
fn axis(series: &Series, rows: &Batch, column: usize) -> Result<Vec<Value>> {
    let bins = || (0..rows.rows).map(|row| rows.get(column, row));
    let zero = |value: &Value| match value {
        Value::DateTime(_) => Value::DateTime(0),
        Value::TimeSpan(_) => Value::TimeSpan(0),
        _ => Value::Long(0),
    };
    let first = match &series.from {
        // With `in range()`, bins start at zero.
        Some(from) if series.inclusive => {
            let bin = crate::functions::bin_of(from, &series.step, &zero(from));
            if bin.order(from).is_lt() {
                shifted(&bin, &series.step, 1.0)
            } else {
                Some(bin)
            }
        }
        Some(from) => Some(from.clone()),
        None => bins().min_by(Value::order),
    };
    let Some(first) = first else {
        return Ok(Vec::new());
    };
    let last = match &series.to {
        Some(to) => Some((to.clone(), series.inclusive)),
        None => bins().max_by(Value::order).map(|last| (last, true)),
    };
    let Some((last, inclusive)) = last else {
        return Ok(Vec::new());
    };
    let mut axis = Vec::new();
    for index in 0..=MAX_ARRAY {
        let Some(value) = shifted(&first, &series.step, index as f64) else {
            break;
        };
        let order = value.order(&last);
        if !(order.is_lt() || (inclusive && order.is_eq())) {
            return Ok(axis);
        }
        if index == MAX_ARRAY {
            return Err(Error::limit(format!(
                "a series has more than {MAX_ARRAY} points"
            )));
        }
        axis.push(value);
    }
    Ok(axis)
}

/// The value a number of steps ahead.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a whole number of at most a million"
)]
fn shifted(value: &Value, step: &Value, steps: f64) -> Option<Value> {
    let whole = |value: i64| value.checked_add(step.as_long()?.checked_mul(steps as i64)?);
    match value {
        Value::DateTime(ticks) => whole(*ticks).map(Value::DateTime),
        Value::TimeSpan(ticks) => whole(*ticks).map(Value::TimeSpan),
        Value::Long(number) if step.as_long().is_some() => whole(*number).map(Value::Long),
        other => Some(Value::Real(other.as_real()? + step.as_real()? * steps)),
    }
}
