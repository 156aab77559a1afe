//! Executes plans: every operator produces batches until its input ends.

mod accumulate;
mod accumulator;
mod aggregate;
mod collect;
mod expand;
mod group;
mod join;
mod parse;
mod series;
mod sort;
mod source;
mod stream;

use crate::batch::Batch;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::plan::{Plan, PlanNode};
use crate::types::Type;

/// The number of rows in a batch that an operator makes.
pub(crate) const BATCH_ROWS: usize = 4096;

/// A running operator.
pub(crate) trait Stream {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>>;
}

/// Starts the execution of a plan.
pub(crate) fn open(plan: &Plan, evaluator: &mut Evaluator) -> Result<Box<dyn Stream>> {
    Ok(match &plan.node {
        PlanNode::Scan(scan) => Box::new(source::Scanning::open(scan)?),
        PlanNode::Values(batch) => Box::new(source::Once::new(batch.clone())),
        PlanNode::Range { from, to, step } => Box::new(source::Ranging::new(from, to, step)),
        PlanNode::Filter { input, predicate } => {
            let types = input.types.clone();
            let input = open(input, evaluator)?;
            if predicate.has_window() {
                Box::new(stream::Filtering::new(
                    Box::new(stream::Whole::new(input, types)),
                    predicate.clone(),
                ))
            } else {
                Box::new(stream::Filtering::new(input, predicate.clone()))
            }
        }
        PlanNode::Project { input, exprs } => {
            let types = input.types.clone();
            let stream = open(input, evaluator)?;
            if exprs.iter().any(crate::expr::Expr::has_window) {
                Box::new(stream::Projecting::new(
                    Box::new(stream::Whole::new(stream, types)),
                    exprs.clone(),
                ))
            } else {
                Box::new(stream::Projecting::new(stream, exprs.clone()))
            }
        }
        PlanNode::Aggregate(aggregation) => {
            if let Some(batch) = aggregate::without_rows(aggregation, evaluator)? {
                return Ok(Box::new(source::Once::new(batch)));
            }
            let input = open(&aggregation.input, evaluator)?;
            Box::new(source::Once::new(aggregate::run(
                aggregation,
                input,
                evaluator,
            )?))
        }
        PlanNode::Sort { input, keys, limit } => {
            let stream = open(input, evaluator)?;
            Box::new(source::Once::new(sort::run(
                stream,
                &input.types,
                keys,
                *limit,
                evaluator,
            )?))
        }
        PlanNode::Take { input, rows } => {
            Box::new(stream::Taking::new(open(input, evaluator)?, *rows))
        }
        PlanNode::Join(join) => Box::new(join::Joining::open(join, evaluator)?),
        PlanNode::Union(inputs) => Box::new(stream::Chained::new(inputs.clone())),
        PlanNode::MvExpand(expand) => {
            let input = open(&expand.input, evaluator)?;
            Box::new(expand::Expanding::new(
                input,
                (**expand).clone(),
                plan.types.clone(),
            ))
        }
        PlanNode::Parse(parse) => {
            let input = open(&parse.input, evaluator)?;
            Box::new(parse::Parsing::new(
                input,
                (**parse).clone(),
                plan.types.clone(),
            ))
        }
        PlanNode::Series(series) => {
            let input = open(&series.input, evaluator)?;
            Box::new(source::Once::new(series::run(series, input, evaluator)?))
        }
    })
}

/// All rows at once, within the limits of one operator.
pub(crate) fn drain(
    stream: &mut dyn Stream,
    types: &[Type],
    evaluator: &mut Evaluator,
) -> Result<Batch> {
    let mut batches = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    while let Some(batch) = stream.next(evaluator)? {
        evaluator.check()?;
        if batch.rows == 0 {
            continue;
        }
        rows += batch.rows;
        bytes += batch.size();
        evaluator.hold(rows, bytes)?;
        batches.push(batch);
    }
    if batches.is_empty() {
        let columns = types
            .iter()
            .map(|ty| crate::column::ColumnBuilder::new(*ty).finish().into())
            .collect();
        return Ok(Batch { columns, rows: 0 });
    }
    Ok(Batch::concat(types, &batches))
}

/// Executes a part of a query, with push-down.
pub(crate) fn collect(plan: &Plan, evaluator: &mut Evaluator) -> Result<Batch> {
    let plan = crate::pushdown::pushed(plan.clone(), &evaluator.options.push_down);
    let mut stream = open(&plan, evaluator)?;
    drain(&mut *stream, &plan.types, evaluator)
}
