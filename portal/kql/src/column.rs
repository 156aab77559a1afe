//! Typed columns, and batches of them.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::convert::convert;
use crate::json;
use crate::types::Type;
use crate::value::{Value, empty};

/// A bitmap with one bit for each row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        if bit && let Some(word) = self.words.last_mut() {
            *word |= 1 << (self.len % 64);
        }
        self.len += 1;
    }

    pub(crate) fn get(&self, row: usize) -> bool {
        self.words
            .get(row / 64)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    fn ones(len: usize) -> Self {
        Self {
            words: vec![u64::MAX; len.div_ceil(64)],
            len,
        }
        .trimmed()
    }

    fn trimmed(mut self) -> Self {
        if let (Some(word), used @ 1..) = (self.words.last_mut(), self.len % 64) {
            *word &= (1 << used) - 1;
        }
        self
    }
}

/// The values of a column; null rows have an arbitrary value here.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Bool(Vec<bool>),
    /// Int, long, datetime, timespan.
    Long(Vec<i64>),
    Real(Vec<f64>),
    String(Vec<Arc<str>>),
    /// Decimal, guid, dynamic; a null is [`Value::Null`].
    Any(Vec<Value>),
    /// Unparsed dynamic values: JSON texts, "" for null.
    Json(Vec<Arc<str>>),
}

/// A column of values of one type, with nulls.
#[derive(Debug, Clone)]
pub struct Column {
    pub(crate) ty: Type,
    pub(crate) data: Data,
    pub(crate) valid: Option<Bitmap>,
}

impl Column {
    /// A column of JSON texts, which are parsed only as far as a query needs.
    ///
    /// An empty text is null; an invalid text is a string.
    #[must_use]
    pub fn from_json(texts: Vec<Arc<str>>) -> Self {
        Self {
            ty: Type::Dynamic,
            data: Data::Json(texts),
            valid: None,
        }
    }

    pub(crate) fn of(ty: Type, data: Data, valid: Option<Bitmap>) -> Self {
        Self { ty, data, valid }
    }

    pub(crate) fn from_values(ty: Type, values: impl IntoIterator<Item = Value>) -> Self {
        let mut builder = ColumnBuilder::new(ty);
        for value in values {
            builder.push(value);
        }
        builder.finish()
    }

    /// The type.
    #[must_use]
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Bool(values) => values.len(),
            Data::Long(values) => values.len(),
            Data::Real(values) => values.len(),
            Data::String(values) | Data::Json(values) => values.len(),
            Data::Any(values) => values.len(),
        }
    }

    /// Whether the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn is_valid(&self, row: usize) -> bool {
        match &self.data {
            Data::Any(values) => values.get(row).is_some_and(|value| !value.is_null()),
            Data::Json(texts) => texts
                .get(row)
                .is_some_and(|text| !text.is_empty() && &**text != "null"),
            _ => self.valid.as_ref().is_none_or(|valid| valid.get(row)),
        }
    }

    /// The value in a row; null after the last row.
    #[must_use]
    pub fn get(&self, row: usize) -> Value {
        if row >= self.len() || !self.is_valid(row) {
            return Value::Null;
        }
        match &self.data {
            Data::Bool(values) => Value::Bool(values[row]),
            Data::Long(values) => match self.ty {
                Type::DateTime => Value::DateTime(values[row]),
                Type::TimeSpan => Value::TimeSpan(values[row]),
                _ => Value::Long(values[row]),
            },
            Data::Real(values) => Value::Real(values[row]),
            Data::String(values) => Value::String(values[row].clone()),
            Data::Any(values) => values[row].clone(),
            Data::Json(texts) => json::parse_lenient(&texts[row]),
        }
    }

    /// The text in a row: the string, or the JSON of a dynamic value.
    pub(crate) fn text(&self, row: usize) -> Cow<'_, str> {
        match &self.data {
            Data::String(values) | Data::Json(values) => {
                Cow::Borrowed(values.get(row).map_or("", |text| text))
            }
            _ => Cow::Owned(self.get(row).to_text().to_string()),
        }
    }

    /// The rows with these indices, in their order.
    pub(crate) fn gather(&self, rows: &[u32]) -> Self {
        fn pick<T: Clone>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter()
                .map(|row| values[*row as usize].clone())
                .collect()
        }
        let data = match &self.data {
            Data::Bool(values) => Data::Bool(pick(values, rows)),
            Data::Long(values) => Data::Long(pick(values, rows)),
            Data::Real(values) => Data::Real(pick(values, rows)),
            Data::String(values) => Data::String(pick(values, rows)),
            Data::Any(values) => Data::Any(pick(values, rows)),
            Data::Json(values) => Data::Json(pick(values, rows)),
        };
        let valid = self.valid.as_ref().map(|valid| {
            let mut bits = Bitmap::default();
            for row in rows {
                bits.push(valid.get(*row as usize));
            }
            bits
        });
        Self {
            ty: self.ty,
            data,
            valid,
        }
    }

    /// The approximate memory of the column; shared texts count for each row.
    pub(crate) fn size(&self) -> usize {
        match &self.data {
            Data::Bool(values) => values.len(),
            Data::Long(values) => values.len() * 8,
            Data::Real(values) => values.len() * 8,
            Data::String(values) | Data::Json(values) => {
                values.iter().map(|text| 16 + text.len()).sum()
            }
            Data::Any(values) => values.iter().map(Value::size).sum(),
        }
    }
}

/// Collects values of one type into a [`Column`].
#[derive(Debug)]
pub struct ColumnBuilder {
    ty: Type,
    data: Data,
    valid: Option<Bitmap>,
    texts: HashMap<Arc<str>, ()>,
    last: Arc<str>,
}

/// The maximum number of distinct texts that a builder shares; further texts are copied.
const MAX_SHARED_TEXTS: usize = 4096;
/// Longer texts are not shared.
const MAX_SHARED_LENGTH: usize = 256;

impl ColumnBuilder {
    /// Makes a builder of this type.
    #[must_use]
    pub fn new(ty: Type) -> Self {
        let data = match ty {
            Type::Bool => Data::Bool(Vec::new()),
            Type::Int | Type::Long | Type::DateTime | Type::TimeSpan => Data::Long(Vec::new()),
            Type::Real => Data::Real(Vec::new()),
            Type::String => Data::String(Vec::new()),
            Type::Decimal | Type::Guid | Type::Dynamic => Data::Any(Vec::new()),
        };
        Self {
            ty,
            data,
            valid: None,
            texts: HashMap::new(),
            last: empty(),
        }
    }

    /// The number of rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Bool(values) => values.len(),
            Data::Long(values) => values.len(),
            Data::Real(values) => values.len(),
            Data::String(values) | Data::Json(values) => values.len(),
            Data::Any(values) => values.len(),
        }
    }

    /// Whether the builder has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a value, converted to the column's type. A value that cannot be converted becomes null.
    pub fn push(&mut self, value: Value) {
        match (&mut self.data, &value) {
            (Data::Bool(values), Value::Bool(flag)) => values.push(*flag),
            (Data::Long(values), Value::Long(number)) if self.ty == Type::Long => {
                values.push(*number)
            }
            (Data::Long(values), Value::DateTime(ticks)) if self.ty == Type::DateTime => {
                values.push(*ticks)
            }
            (Data::Long(values), Value::TimeSpan(ticks)) if self.ty == Type::TimeSpan => {
                values.push(*ticks)
            }
            (Data::Long(values), Value::Long(number))
                if self.ty == Type::Int && i32::try_from(*number).is_ok() =>
            {
                values.push(*number);
            }
            (Data::Real(values), Value::Real(number)) => values.push(*number),
            (Data::String(values), Value::String(text)) => values.push(text.clone()),
            (Data::Any(values), _) if self.ty == Type::Dynamic => {
                values.push(value);
                return;
            }
            (Data::Any(values), Value::Decimal(_)) if self.ty == Type::Decimal => {
                values.push(value);
                return;
            }
            (Data::Any(values), Value::Guid(_)) if self.ty == Type::Guid => {
                values.push(value);
                return;
            }
            (_, Value::Null) => return self.push_null(),
            _ => {
                // Converted values have the column's type or are null, so the recursion ends.
                let converted = convert(&value, self.ty);
                return self.push(converted);
            }
        }
        self.set_valid(true);
    }

    /// Appends a null; in a string column, an empty text.
    pub fn push_null(&mut self) {
        match &mut self.data {
            Data::Bool(values) => values.push(false),
            Data::Long(values) => values.push(0),
            Data::Real(values) => values.push(0.0),
            Data::String(values) | Data::Json(values) => {
                values.push(empty());
                return;
            }
            Data::Any(values) => {
                values.push(Value::Null);
                return;
            }
        }
        let before = self.len() - 1;
        self.valid
            .get_or_insert_with(|| Bitmap::ones(before))
            .push(false);
    }

    /// Appends a text to a string column, and shares an earlier equal text.
    pub fn push_text(&mut self, text: &str) {
        if let Data::String(values) = &mut self.data {
            if *self.last != *text {
                self.last = share(&mut self.texts, text);
            }
            values.push(self.last.clone());
        } else {
            self.push(Value::text(text));
        }
    }

    /// Appends an integer or ticks, depending on the column's type.
    pub fn push_long(&mut self, number: i64) {
        match &mut self.data {
            Data::Long(values) if self.ty != Type::Int => {
                values.push(number);
                self.set_valid(true);
            }
            _ => self.push(Value::Long(number)),
        }
    }

    fn set_valid(&mut self, valid: bool) {
        if let Some(bits) = &mut self.valid {
            bits.push(valid);
        }
    }

    /// The finished column.
    #[must_use]
    pub fn finish(self) -> Column {
        Column {
            ty: self.ty,
            data: self.data,
            valid: self.valid,
        }
    }
}

fn share(texts: &mut HashMap<Arc<str>, ()>, text: &str) -> Arc<str> {
    if text.is_empty() {
        return empty();
    }
    if text.len() > MAX_SHARED_LENGTH {
        return Arc::from(text);
    }
    if let Some((shared, ())) = texts.get_key_value(text) {
        return shared.clone();
    }
    let shared: Arc<str> = Arc::from(text);
    if texts.len() < MAX_SHARED_TEXTS {
        texts.insert(shared.clone(), ());
    }
    shared
}

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

    #[test]
    fn texts_that_repeat_are_shared() {
        let mut builder = ColumnBuilder::new(Type::String);
        ["a", "b", "a"]
            .into_iter()
            .for_each(|text| builder.push_text(text));
        let Data::String(texts) = builder.finish().data else {
            panic!("strings")
        };
        assert!(Arc::ptr_eq(&texts[0], &texts[2]));
    }
}
