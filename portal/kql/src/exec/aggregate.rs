//! `summarize`: groups by hash, with an accumulator for each aggregate.

use super::Stream;
use super::accumulate::accumulator;
use super::accumulator::Accumulator;
use super::group::Grouper;
use crate::batch::{Batch, Vector};
use crate::column::Column;
use crate::error::Result;
use crate::eval::{Evaluator, bool_at};
use crate::plan::{AggregateKind, Aggregation, PlanNode};
use crate::types::Type;
use crate::value::Value;

pub(super) fn run(
    aggregation: &Aggregation,
    mut input: Box<dyn Stream>,
    evaluator: &mut Evaluator,
) -> Result<Batch> {
    let key_types: Vec<Type> = aggregation.keys.iter().map(|key| key.ty).collect();
    let mut grouper = Grouper::new(&key_types);
    let mut accumulators: Vec<Box<dyn Accumulator>> =
        aggregation.calls.iter().map(accumulator).collect();
    while let Some(batch) = input.next(evaluator)? {
        evaluator.check()?;
        if batch.rows == 0 {
            continue;
        }
        let groups = if aggregation.keys.is_empty() {
            vec![0; batch.rows]
        } else {
            let keys: Result<Vec<Vector>> = aggregation
                .keys
                .iter()
                .map(|key| evaluator.eval(key, &batch))
                .collect();
            grouper.groups(&keys?, batch.rows)
        };
        let count = if aggregation.keys.is_empty() {
            1
        } else {
            grouper.len()
        };
        for (call, accumulator) in aggregation.calls.iter().zip(&mut accumulators) {
            accumulator.grow(count);
            let args: Result<Vec<Vector>> = call
                .args
                .iter()
                .map(|arg| evaluator.eval(arg, &batch))
                .collect();
            let args = args?;
            match &call.predicate {
                None => accumulator.update(&groups, &args),
                Some(predicate) => {
                    let flags = evaluator.eval(predicate, &batch)?;
                    let rows: Vec<u32> = crate::batch::indices(batch.rows)
                        .filter(|row| bool_at(&flags, *row as usize) == Some(true))
                        .collect();
                    let groups: Vec<u32> = rows.iter().map(|row| groups[*row as usize]).collect();
                    let args: Vec<Vector> = args.iter().map(|arg| arg.gather(&rows)).collect();
                    accumulator.update(&groups, &args);
                }
            }
        }
        let bytes = grouper.size()
            + accumulators
                .iter()
                .map(|accumulator| accumulator.size())
                .sum::<usize>();
        evaluator.hold(count, bytes)?;
    }
    let count = match (aggregation.keys.is_empty(), grouper.len()) {
        (true, _) => usize::from(!(aggregation.grouped && aggregation.calls.is_empty())),
        (false, groups) => groups,
    };
    let mut columns = grouper.finish();
    for mut accumulator in accumulators {
        accumulator.grow(count);
        columns.extend(accumulator.finish().into_iter().map(Vector::from));
    }
    Ok(Batch {
        columns,
        rows: count,
    })
}

/// `count` alone over a table that knows its number of rows.
pub(super) fn without_rows(
    aggregation: &Aggregation,
    evaluator: &Evaluator,
) -> Result<Option<Batch>> {
    let PlanNode::Scan(scan) = &aggregation.input.node else {
        return Ok(None);
    };
    let only_counts = !aggregation.calls.is_empty()
        && aggregation
            .calls
            .iter()
            .all(|call| call.kind == AggregateKind::Count && call.predicate.is_none());
    if !evaluator.options.push_down.count
        || !aggregation.keys.is_empty()
        || !only_counts
        || scan.limit.is_some()
    {
        return Ok(None);
    }
    let Some(count) = scan.table.count(&scan.filters)? else {
        return Ok(None);
    };
    let count = Value::Long(i64::try_from(count).unwrap_or(i64::MAX));
    let columns = aggregation
        .calls
        .iter()
        .map(|_| Column::from_values(Type::Long, [count.clone()]))
        .collect();
    Ok(Some(Batch::new(columns, 1)))
}
