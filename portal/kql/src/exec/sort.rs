//! `sort` and `top`.

use std::cmp::Ordering;

use super::{Stream, drain};
use crate::batch::{Batch, Vector, indices};
use crate::column::Data;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::plan::Sort;
use crate::types::Type;
use crate::value::Value;

/// The number of rows that `top` collects before it discards those that cannot be in the result.
const TOP_SLACK: usize = 65_536;

pub(super) fn run(
    mut input: Box<dyn Stream>,
    types: &[Type],
    keys: &[Sort],
    limit: Option<usize>,
    evaluator: &mut Evaluator,
) -> Result<Batch> {
    let Some(limit) = limit else {
        let all = drain(&mut *input, types, evaluator)?;
        return sorted(&all, keys, usize::MAX, evaluator);
    };
    let mut kept: Vec<Batch> = Vec::new();
    let mut rows = 0;
    while let Some(batch) = input.next(evaluator)? {
        evaluator.check()?;
        rows += batch.rows;
        evaluator.hold(
            rows,
            kept.iter().map(Batch::size).sum::<usize>() + batch.size(),
        )?;
        kept.push(batch);
        if rows > limit.saturating_add(TOP_SLACK) {
            let best = sorted(&Batch::concat(types, &kept), keys, limit, evaluator)?;
            rows = best.rows;
            kept = vec![best];
        }
    }
    if kept.is_empty() {
        kept.push(drain(&mut *input, types, evaluator)?);
    }
    sorted(&Batch::concat(types, &kept), keys, limit, evaluator)
}

/// The first rows in the order of the keys; rows with equal keys keep their order.
fn sorted(batch: &Batch, keys: &[Sort], limit: usize, evaluator: &mut Evaluator) -> Result<Batch> {
    let mut columns = Vec::with_capacity(keys.len());
    for key in keys {
        columns.push((evaluator.eval(&key.expr, batch)?, key));
    }
    let mut rows: Vec<u32> = indices(batch.rows).collect();
    let order = |a: &u32, b: &u32| {
        columns
            .iter()
            .map(|(vector, key)| compare(vector, key, *a as usize, *b as usize))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    if limit < rows.len() {
        let by_order_and_row = |a: &u32, b: &u32| order(a, b).then(a.cmp(b));
        if limit > 0 {
            rows.select_nth_unstable_by(limit - 1, by_order_and_row);
        }
        rows.truncate(limit);
        rows.sort_unstable_by(by_order_and_row);
    } else {
        rows.sort_by(order);
    }
    evaluator.check()?;
    Ok(batch.gather(&rows))
}

fn compare(vector: &Vector, key: &Sort, a: usize, b: usize) -> Ordering {
    let Vector::Column(column) = vector else {
        return Ordering::Equal;
    };
    let directed = |order: Ordering| {
        if key.ascending {
            order
        } else {
            order.reverse()
        }
    };
    if column.valid.is_none() {
        match &column.data {
            Data::Long(values) => return directed(values[a].cmp(&values[b])),
            Data::String(values) => return directed(values[a].cmp(&values[b])),
            _ => {}
        }
    }
    let (a, b) = (column.get(a), column.get(b));
    // NaN is sorted like null.
    let missing =
        |value: &Value| value.is_null() || matches!(value, Value::Real(number) if number.is_nan());
    match (missing(&a), missing(&b)) {
        (false, false) => directed(a.order(&b)),
        (true, true) => directed(a.order(&b)),
        (first, _) if first == key.nulls_first => Ordering::Less,
        _ => Ordering::Greater,
    }
}
