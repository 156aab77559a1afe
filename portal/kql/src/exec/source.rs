//! Operators without input: tables, constants, ranges.

use super::{BATCH_ROWS, Stream};
use crate::batch::{Batch, Vector};
use crate::catalog::{Rows, ScanRequest};
use crate::column::ColumnBuilder;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::plan::Scan;
use crate::types::Type;
use crate::value::Value;

pub(super) struct Scanning {
    rows: Box<dyn Rows>,
    /// For each column of the table, the column of the batch that contains it.
    places: Vec<Option<usize>>,
    left: Option<usize>,
}

impl Scanning {
    pub(super) fn open(scan: &Scan) -> Result<Self> {
        let columns: Vec<usize> = (0..scan.needed.len())
            .filter(|index| scan.needed[*index])
            .collect();
        let mut places = vec![None; scan.needed.len()];
        for (place, column) in columns.iter().enumerate() {
            places[*column] = Some(place);
        }
        let request = ScanRequest {
            columns,
            filters: scan.filters.clone(),
            hints: scan.hints.clone(),
            limit: scan.limit,
            order: scan.order,
        };
        Ok(Self {
            rows: scan.table.scan(&request)?,
            places,
            left: scan.limit,
        })
    }
}

impl Stream for Scanning {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        evaluator.check()?;
        if self.left == Some(0) {
            return Ok(None);
        }
        let Some(batch) = self.rows.next(&evaluator.options.cancel)? else {
            return Ok(None);
        };
        evaluator.rows_read += batch.rows as u64;
        let columns = self.places.iter().map(|place| {
            let column = place.and_then(|place| batch.columns.get(place));
            column.cloned().unwrap_or(Vector::Const(Value::Null))
        });
        let mut batch = Batch {
            columns: columns.collect(),
            rows: batch.rows,
        };
        if let Some(left) = &mut self.left {
            batch = batch.head(*left);
            *left -= batch.rows;
        }
        Ok(Some(batch))
    }
}

/// One batch, returned in parts if it is large.
pub(super) struct Once {
    batch: Batch,
    at: usize,
    given: bool,
}

/// Larger batches are split, so that limits and time are checked between the parts.
const MAX_BATCH: usize = 16 * BATCH_ROWS;

impl Once {
    pub(super) fn new(batch: Batch) -> Self {
        Self {
            batch,
            at: 0,
            given: false,
        }
    }
}

impl Stream for Once {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        evaluator.check()?;
        if self.batch.rows <= MAX_BATCH {
            let given = std::mem::replace(&mut self.given, true);
            return Ok((!given).then(|| std::mem::take(&mut self.batch)));
        }
        if self.at >= self.batch.rows {
            return Ok(None);
        }
        let end = (self.at + MAX_BATCH).min(self.batch.rows);
        let rows: Vec<u32> = (self.at..end)
            .filter_map(|row| u32::try_from(row).ok())
            .collect();
        self.at = end;
        Ok(Some(self.batch.gather(&rows)))
    }
}

/// `range x from a to b step c`.
pub(super) struct Ranging {
    next: Option<Value>,
    to: Value,
    step: Value,
    index: u64,
    from: Value,
}

impl Ranging {
    pub(super) fn new(from: &Value, to: &Value, step: &Value) -> Self {
        let missing = from.is_null() || to.is_null() || step.is_null();
        Self {
            next: (!missing).then(|| from.clone()),
            to: to.clone(),
            step: step.clone(),
            index: 0,
            from: from.clone(),
        }
    }

    /// The next value; reals by multiplication, so that errors do not accumulate.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ranges of more than 2^53 steps do not end"
    )]
    fn advance(&mut self, value: &Value) -> Option<Value> {
        self.index += 1;
        match (value, self.step.as_long()) {
            (Value::Long(value), Some(step)) => value.checked_add(step).map(Value::Long),
            (Value::DateTime(value), Some(step)) => value.checked_add(step).map(Value::DateTime),
            (Value::TimeSpan(value), Some(step)) => value.checked_add(step).map(Value::TimeSpan),
            _ => Some(Value::Real(
                self.from.as_real()? + self.step.as_real()? * self.index as f64,
            )),
        }
    }

    fn is_within(&self, value: &Value) -> bool {
        let up = self.step.as_long().map_or_else(
            || self.step.as_real().is_some_and(|step| step > 0.0),
            |step| step > 0,
        );
        let order = value.order(&self.to);
        if up { order.is_le() } else { order.is_ge() }
    }
}

impl Stream for Ranging {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        evaluator.check()?;
        let ty = match self.from {
            Value::DateTime(_) => Type::DateTime,
            Value::TimeSpan(_) => Type::TimeSpan,
            Value::Real(_) => Type::Real,
            _ => Type::Long,
        };
        let mut builder = ColumnBuilder::new(ty);
        while builder.len() < BATCH_ROWS {
            let Some(value) = self.next.take().filter(|value| self.is_within(value)) else {
                break;
            };
            self.next = self.advance(&value);
            builder.push(value);
        }
        let rows = builder.len();
        Ok((rows > 0).then(|| Batch::new(vec![builder.finish()], rows)))
    }
}
