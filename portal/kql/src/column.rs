//! Typed columns.

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
    pub(crate) data: Data,
    pub(crate) valid: Option<Bitmap>,
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

#[cfg(test)]
mod tests {
    use super::*;

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
