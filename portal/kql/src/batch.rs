//! Rows of a table, stored by column.

use std::sync::Arc;

use crate::column::{Column, ColumnBuilder, Data};
use crate::types::Type;
use crate::value::Value;

/// A column of a batch: one value for all rows, or a value for each row.
#[derive(Debug, Clone)]
pub(crate) enum Vector {
    Const(Value),
    Column(Arc<Column>),
}

impl Vector {
    pub(crate) fn get(&self, row: usize) -> Value {
        match self {
            Self::Const(value) => value.clone(),
            Self::Column(column) => column.get(row),
        }
    }

    pub(crate) fn gather(&self, rows: &[u32]) -> Self {
        match self {
            Self::Const(_) => self.clone(),
            Self::Column(column) => Self::Column(Arc::new(column.gather(rows))),
        }
    }

    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Const(_) => 0,
            Self::Column(column) => column.size(),
        }
    }
}

impl From<Column> for Vector {
    fn from(column: Column) -> Self {
        Self::Column(Arc::new(column))
    }
}

/// Rows of a table, stored by column.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(crate) columns: Vec<Vector>,
    pub(crate) rows: usize,
}

impl Batch {
    /// Makes a batch of columns with this number of rows.
    ///
    /// Missing values of a shorter column are null.
    #[must_use]
    pub fn new(columns: Vec<Column>, rows: usize) -> Self {
        Self {
            columns: columns.into_iter().map(Vector::from).collect(),
            rows,
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The value in a row of a column; null after the last row.
    #[must_use]
    pub fn get(&self, column: usize, row: usize) -> Value {
        self.columns
            .get(column)
            .map_or(Value::Null, |column| column.get(row))
    }

    pub(crate) fn gather(&self, rows: &[u32]) -> Self {
        Self {
            columns: self
                .columns
                .iter()
                .map(|column| column.gather(rows))
                .collect(),
            rows: rows.len(),
        }
    }

    pub(crate) fn head(&self, rows: usize) -> Self {
        if rows >= self.rows {
            return self.clone();
        }
        let indices: Vec<u32> = indices(rows).collect();
        self.gather(&indices)
    }

    pub(crate) fn size(&self) -> usize {
        self.columns.iter().map(Vector::size).sum()
    }

    /// All rows of the batches, in order.
    pub(crate) fn concat(types: &[Type], batches: &[Self]) -> Self {
        if let [batch] = batches {
            return batch.clone();
        }
        let rows = batches.iter().map(|batch| batch.rows).sum();
        let columns = types
            .iter()
            .enumerate()
            .map(|(index, ty)| Vector::from(concat_column(*ty, index, batches)))
            .collect();
        Self { columns, rows }
    }
}

fn concat_column(ty: Type, index: usize, batches: &[Batch]) -> Column {
    let mut builder = ColumnBuilder::new(ty);
    let mut texts = Vec::new();
    let all_json = ty == Type::Dynamic
        && batches.iter().all(|batch| match batch.columns.get(index) {
            Some(Vector::Column(column)) => matches!(column.data, Data::Json(_)),
            _ => false,
        });
    for batch in batches {
        match batch.columns.get(index) {
            Some(Vector::Column(column)) => match (&mut builder.data, &column.data) {
                (_, Data::Json(values)) if all_json => texts.extend(values.iter().cloned()),
                (Data::String(all), Data::String(values)) => all.extend(values.iter().cloned()),
                (Data::Long(all), Data::Long(values))
                    if column.valid.is_none() && builder.valid.is_none() =>
                {
                    all.extend_from_slice(values);
                }
                (Data::Real(all), Data::Real(values))
                    if column.valid.is_none() && builder.valid.is_none() =>
                {
                    all.extend_from_slice(values);
                }
                _ => (0..batch.rows).for_each(|row| builder.push(column.get(row))),
            },
            other => {
                let value = other.map_or(Value::Null, |vector| vector.get(0));
                (0..batch.rows).for_each(|_| builder.push(value.clone()));
            }
        }
    }
    if all_json {
        Column::from_json(texts)
    } else {
        builder.finish()
    }
}

/// Row indices from 0. A batch never has more than 2^32 rows, since operators are limited.
pub(crate) fn indices(rows: usize) -> impl Iterator<Item = u32> {
    0..u32::try_from(rows).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_are_kept_by_gathering_and_joining() {
        let mut builder = ColumnBuilder::new(Type::Int);
        for value in [
            Value::Long(1),
            Value::Null,
            Value::Long(1 << 40),
            Value::text("7"),
        ] {
            builder.push(value);
        }
        let column = builder.finish();
        let seen: Vec<_> = (0..5).map(|row| column.get(row).as_long()).collect();
        assert_eq!(seen, [Some(1), None, None, Some(7), None]);
        let batch = Batch::new(vec![column.gather(&[3, 1])], 2);
        let all = Batch::concat(&[Type::Int], &[batch.clone(), batch]);
        let seen: Vec<_> = (0..4).map(|row| all.get(0, row).as_long()).collect();
        assert_eq!(seen, [Some(7), None, Some(7), None]);
    }
}
