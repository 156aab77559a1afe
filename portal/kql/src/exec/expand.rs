//! `mv-expand`: one row for each element.

use super::{BATCH_ROWS, Stream};
use crate::batch::{Batch, Vector};
use crate::column::ColumnBuilder;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::plan::MvExpand;
use crate::types::Type;
use crate::value::Value;

pub(super) struct Expanding {
    input: Box<dyn Stream>,
    expand: MvExpand,
    types: Vec<Type>,
    current: Option<Current>,
}

struct Current {
    batch: Batch,
    values: Vec<Vector>,
    row: usize,
    /// The next element of the current row.
    element: usize,
}

impl Expanding {
    pub(super) fn new(input: Box<dyn Stream>, expand: MvExpand, types: Vec<Type>) -> Self {
        Self {
            input,
            expand,
            types,
            current: None,
        }
    }
}

/// The number of rows for a value: one for a null or scalar, else one for each element of the array or bag.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Bag(bag) => bag.0.len(),
        _ => 1,
    }
}

fn element(value: &Value, index: usize, arrays: bool) -> Value {
    match value {
        Value::Array(items) => items.get(index).cloned().unwrap_or_default(),
        Value::Bag(bag) => match bag.0.get(index) {
            Some((key, value)) if arrays => {
                Value::array(vec![Value::String(key.clone()), value.clone()])
            }
            Some((key, value)) => Value::bag(vec![(key.clone(), value.clone())]),
            None => Value::Null,
        },
        scalar if index == 0 => scalar.clone(),
        _ => Value::Null,
    }
}

impl Stream for Expanding {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        loop {
            evaluator.check()?;
            if self.current.is_none() {
                let Some(batch) = self.input.next(evaluator)? else {
                    return Ok(None);
                };
                let values: Result<Vec<Vector>> = self
                    .expand
                    .columns
                    .iter()
                    .map(|(expr, _)| evaluator.eval(expr, &batch))
                    .collect();
                self.current = Some(Current {
                    batch,
                    values: values?,
                    row: 0,
                    element: 0,
                });
            }
            let Some(current) = &mut self.current else {
                continue;
            };
            let mut sources: Vec<u32> = Vec::new();
            let mut builders: Vec<ColumnBuilder> = self
                .expand
                .columns
                .iter()
                .map(|(_, target)| ColumnBuilder::new(self.types[*target]))
                .collect();
            let mut indices: Vec<Value> = Vec::new();
            while current.row < current.batch.rows && sources.len() < BATCH_ROWS {
                let values: Vec<Value> = current
                    .values
                    .iter()
                    .map(|vector| vector.get(current.row))
                    .collect();
                let most = values
                    .iter()
                    .map(count)
                    .max()
                    .unwrap_or(0)
                    .min(self.expand.limit.unwrap_or(usize::MAX));
                let end = most.min(current.element + BATCH_ROWS);
                for index in current.element..end {
                    sources.push(u32::try_from(current.row).unwrap_or(u32::MAX));
                    for (builder, value) in builders.iter_mut().zip(&values) {
                        builder.push(element(value, index, self.expand.arrays));
                    }
                    indices.push(Value::Long(i64::try_from(index).unwrap_or(i64::MAX)));
                }
                if end < most {
                    current.element = end;
                } else {
                    current.element = 0;
                    current.row += 1;
                }
            }
            let width = current.batch.columns.len();
            let mut columns: Vec<Option<Vector>> = (0..self.types.len())
                .map(|index| (index < width).then(|| current.batch.columns[index].gather(&sources)))
                .collect();
            for ((_, target), builder) in self.expand.columns.iter().zip(builders) {
                columns[*target] = Some(builder.finish().into());
            }
            if let Some(target) = self.expand.item_index {
                columns[target] =
                    Some(crate::column::Column::from_values(Type::Long, indices).into());
            }
            if current.row >= current.batch.rows {
                self.current = None;
            }
            if !sources.is_empty() {
                let columns = columns
                    .into_iter()
                    .map(|column| column.unwrap_or(Vector::Const(Value::Null)));
                return Ok(Some(Batch {
                    columns: columns.collect(),
                    rows: sources.len(),
                }));
            }
        }
    }
}
