//! Operators that process batch by batch.

use super::{Stream, drain, open};
use crate::batch::Batch;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::expr::{Expr, Node};
use crate::plan::Plan;
use crate::types::Type;

pub(super) struct Filtering {
    input: Box<dyn Stream>,
    /// The parts of a conjunction. Each one sees only the rows that passed those before it.
    predicates: Vec<Expr>,
}

impl Filtering {
    pub(super) fn new(input: Box<dyn Stream>, predicate: Expr) -> Self {
        let window = predicate.has_window();
        let predicates = match predicate.node {
            Node::And(items) if !window => items,
            _ => vec![predicate],
        };
        Self { input, predicates }
    }
}

impl Stream for Filtering {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        loop {
            let Some(mut batch) = self.input.next(evaluator)? else {
                return Ok(None);
            };
            evaluator.check()?;
            for predicate in &self.predicates {
                if batch.rows == 0 {
                    break;
                }
                let rows = evaluator.select(predicate, &batch)?;
                if rows.len() < batch.rows {
                    batch = batch.gather(&rows);
                }
            }
            if batch.rows > 0 {
                return Ok(Some(batch));
            }
        }
    }
}

pub(super) struct Projecting {
    input: Box<dyn Stream>,
    exprs: Vec<Expr>,
}

impl Projecting {
    pub(super) fn new(input: Box<dyn Stream>, exprs: Vec<Expr>) -> Self {
        Self { input, exprs }
    }
}

impl Stream for Projecting {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        let Some(batch) = self.input.next(evaluator)? else {
            return Ok(None);
        };
        evaluator.check()?;
        let columns: Result<Vec<_>> = self
            .exprs
            .iter()
            .map(|expr| evaluator.eval(expr, &batch))
            .collect();
        Ok(Some(Batch {
            columns: columns?,
            rows: batch.rows,
        }))
    }
}

/// All rows in one batch, for functions over several rows.
pub(super) struct Whole {
    input: Option<Box<dyn Stream>>,
    types: Vec<Type>,
}

impl Whole {
    pub(super) fn new(input: Box<dyn Stream>, types: Vec<Type>) -> Self {
        Self {
            input: Some(input),
            types,
        }
    }
}

impl Stream for Whole {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        match self.input.take() {
            Some(mut input) => drain(&mut *input, &self.types, evaluator).map(Some),
            None => Ok(None),
        }
    }
}

pub(super) struct Taking {
    input: Box<dyn Stream>,
    left: usize,
}

impl Taking {
    pub(super) fn new(input: Box<dyn Stream>, rows: usize) -> Self {
        Self { input, left: rows }
    }
}

impl Stream for Taking {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        if self.left == 0 {
            return Ok(None);
        }
        let batch = self
            .input
            .next(evaluator)?
            .map(|batch| batch.head(self.left));
        self.left -= batch.as_ref().map_or(0, |batch| batch.rows);
        Ok(batch)
    }
}

/// The inputs one after another. Each is opened when its turn comes.
pub(super) struct Chained {
    inputs: std::vec::IntoIter<Plan>,
    current: Option<Box<dyn Stream>>,
}

impl Chained {
    pub(super) fn new(inputs: Vec<Plan>) -> Self {
        Self {
            inputs: inputs.into_iter(),
            current: None,
        }
    }
}

impl Stream for Chained {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        loop {
            if let Some(current) = &mut self.current
                && let Some(batch) = current.next(evaluator)?
            {
                return Ok(Some(batch));
            }
            match self.inputs.next() {
                Some(plan) => self.current = Some(open(&plan, evaluator)?),
                None => return Ok(None),
            }
        }
    }
}
