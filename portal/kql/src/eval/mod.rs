//! Evaluates expressions over batches, one column at a time.

mod arithmetic;
mod compare;
mod text;
mod window;

use std::sync::Arc;

use crate::batch::{Batch, Vector};
use crate::column::{Column, ColumnBuilder, Data};
use crate::convert::convert;
use crate::error::{Error, Result};
use crate::expr::{Expr, InSet, Node};
use crate::functions::{Context, Function};
use crate::json;
use crate::options::Options;
use crate::types::Type;
use crate::value::Value;

/// The number of rows between two checks of the clock and the token.
const ROWS_PER_CHECK: usize = 4096;

/// The state of an evaluation beside the expression and the batch.
pub(crate) struct Evaluator {
    pub(crate) context: Context,
    pub(crate) options: Options,
    /// The rows that the tables have returned so far.
    pub(crate) rows_read: u64,
    deadline: std::time::Instant,
}

impl Evaluator {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            context: Context::new(options.now),
            options: options.clone(),
            rows_read: 0,
            deadline: std::time::Instant::now() + options.limits.time,
        }
    }

    /// Fails if the query was cancelled or timed out.
    pub(crate) fn check(&self) -> Result<()> {
        if self.options.cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        if std::time::Instant::now() >= self.deadline {
            return Err(Error::timeout());
        }
        Ok(())
    }

    /// Checks the memory of an operator.
    pub(crate) fn hold(&self, rows: usize, bytes: usize) -> Result<()> {
        let limits = &self.options.limits;
        if rows > limits.operator_rows {
            return Err(Error::limit(format!(
                "an operator holds more than {} rows",
                limits.operator_rows
            )));
        }
        if bytes > limits.operator_bytes {
            return Err(Error::limit(format!(
                "an operator holds more than {} bytes",
                limits.operator_bytes
            )));
        }
        Ok(())
    }

    pub(crate) fn eval(&mut self, expr: &Expr, batch: &Batch) -> Result<Vector> {
        match &expr.node {
            Node::Const(value) => Ok(Vector::Const(value.clone())),
            Node::Column(index) => Ok(batch
                .columns
                .get(*index)
                .cloned()
                .unwrap_or(Vector::Const(Value::Null))),
            Node::Arithmetic(op, left, right) => {
                let (left_type, right_type) = (left.ty, right.ty);
                let left = self.eval(left, batch)?;
                let right = self.eval(right, batch)?;
                Ok(arithmetic::eval(
                    *op,
                    (&left, left_type),
                    (&right, right_type),
                    expr.ty,
                    batch.rows,
                ))
            }
            Node::Compare(op, left, right) => {
                let left = self.eval(left, batch)?;
                let right = self.eval(right, batch)?;
                Ok(compare::eval(*op, &left, &right, batch.rows))
            }
            Node::And(items) => self.connective(items, batch, false),
            Node::Or(items) => self.connective(items, batch, true),
            Node::Text {
                op,
                negated,
                value,
                needle,
            } => {
                let value = self.eval(value, batch)?;
                let needle = self.eval(needle, batch)?;
                text::eval(
                    &mut self.context,
                    *op,
                    *negated,
                    &value,
                    &needle,
                    batch.rows,
                )
            }
            Node::InSet {
                negated,
                fold,
                value,
                set,
            } => {
                let value = self.eval(value, batch)?;
                Ok(in_set(&value, set, *negated, *fold, batch.rows))
            }
            Node::Member(object, key) => {
                let object = self.eval(object, batch)?;
                Ok(member(&object, key, batch.rows))
            }
            Node::Index(object, index) => {
                let object = self.eval(object, batch)?;
                let index = self.eval(index, batch)?;
                Ok(map2(expr.ty, &object, &index, batch.rows, index_of))
            }
            Node::Convert(inner) => {
                let inner = self.eval(inner, batch)?;
                Ok(convert_vector(inner, expr.ty, batch.rows))
            }
            Node::Call(function, args) => self.call(function, args, expr.ty, batch),
            Node::Case(items) => self.case(items, expr.ty, batch),
            Node::Window(window, args) => {
                let args: Result<Vec<Vector>> =
                    args.iter().map(|arg| self.eval(arg, batch)).collect();
                Ok(window::eval(*window, &args?, expr.ty, batch.rows))
            }
        }
    }

    /// `and` and `or` in three-valued logic.
    fn connective(&mut self, items: &[Expr], batch: &Batch, or: bool) -> Result<Vector> {
        let mut result: Vec<Option<bool>> = vec![Some(!or); batch.rows];
        for item in items {
            let vector = self.eval(item, batch)?;
            if let Vector::Const(value) = &vector
                && value.as_bool() == Some(!or)
            {
                continue;
            }
            for (row, slot) in result.iter_mut().enumerate() {
                if *slot == Some(or) {
                    continue;
                }
                match bool_at(&vector, row) {
                    Some(flag) if flag == or => *slot = Some(or),
                    Some(_) => {}
                    None => *slot = None,
                }
            }
        }
        Ok(bools(&result))
    }

    fn call(
        &mut self,
        function: &'static Function,
        args: &[Expr],
        ty: Type,
        batch: &Batch,
    ) -> Result<Vector> {
        let vectors: Result<Vec<Vector>> = args.iter().map(|arg| self.eval(arg, batch)).collect();
        let vectors = vectors?;
        let mut values: Vec<Value> = vectors
            .iter()
            .map(|vector| match vector {
                Vector::Const(value) => value.clone(),
                Vector::Column(_) => Value::Null,
            })
            .collect();
        let constant = vectors
            .iter()
            .all(|vector| matches!(vector, Vector::Const(_)));
        if constant && !function.is_random() {
            let value = (function.body)(&mut self.context, &values);
            self.charge(value.size())?;
            return Ok(Vector::Const(convert(&value, ty)));
        }
        let mut builder = ColumnBuilder::new(ty);
        let mut produced = 0;
        for row in 0..batch.rows {
            for (value, vector) in values.iter_mut().zip(&vectors) {
                if let Vector::Column(column) = vector {
                    *value = column.get(row);
                }
            }
            let value = (function.body)(&mut self.context, &values);
            if let Value::String(_) | Value::Array(_) | Value::Bag(_) = value {
                produced += bounded_size(&value, self.options.limits.operator_bytes);
                self.charge(produced)?;
            }
            builder.push(value);
            if row % ROWS_PER_CHECK == 0 {
                self.check()?;
            }
        }
        Ok(builder.finish().into())
    }

    /// Fails if the values of a batch exceed an operator's memory limit.
    fn charge(&self, bytes: usize) -> Result<()> {
        if self.context.overflowed {
            return Err(Error::limit("a function made a value that is too large"));
        }
        self.hold(0, bytes)
    }

    fn case(&mut self, items: &[Expr], ty: Type, batch: &Batch) -> Result<Vector> {
        let vectors: Result<Vec<Vector>> =
            items.iter().map(|item| self.eval(item, batch)).collect();
        let vectors = vectors?;
        let Some((otherwise, branches)) = vectors.split_last() else {
            return Ok(Vector::Const(Value::Null));
        };
        if vectors
            .iter()
            .all(|vector| matches!(vector, Vector::Const(_)))
        {
            let taken = branches
                .chunks_exact(2)
                .find(|pair| bool_at(&pair[0], 0) == Some(true));
            let value = taken.map_or(otherwise, |pair| &pair[1]).get(0);
            return Ok(Vector::Const(convert(&value, ty)));
        }
        let mut builder = ColumnBuilder::new(ty);
        for row in 0..batch.rows {
            let taken = branches
                .chunks_exact(2)
                .find(|pair| bool_at(&pair[0], row) == Some(true));
            builder.push(taken.map_or(otherwise, |pair| &pair[1]).get(row));
        }
        Ok(builder.finish().into())
    }

    /// The rows for which the predicate is true.
    pub(crate) fn select(&mut self, predicate: &Expr, batch: &Batch) -> Result<Vec<u32>> {
        let vector = self.eval(predicate, batch)?;
        Ok(match &vector {
            Vector::Const(value) if value.as_bool() == Some(true) => {
                crate::batch::indices(batch.rows).collect()
            }
            Vector::Const(_) => Vec::new(),
            Vector::Column(_) => crate::batch::indices(batch.rows)
                .filter(|row| bool_at(&vector, *row as usize) == Some(true))
                .collect(),
        })
    }
}

/// The size of a value, computed no further than the limit: values that share parts may be far larger when
/// printed than in memory.
fn bounded_size(value: &Value, limit: usize) -> usize {
    fn add(value: &Value, limit: usize, total: &mut usize) {
        *total += size_of::<Value>();
        match value {
            Value::String(text) => *total += text.len(),
            Value::Array(items) => {
                for item in items.iter() {
                    if *total > limit {
                        return;
                    }
                    add(item, limit, total);
                }
            }
            Value::Bag(bag) => {
                for (key, member) in &bag.0 {
                    if *total > limit {
                        return;
                    }
                    *total += key.len();
                    add(member, limit, total);
                }
            }
            _ => {}
        }
    }
    let mut total = 0;
    add(value, limit, &mut total);
    total
}

pub(crate) fn bool_at(vector: &Vector, row: usize) -> Option<bool> {
    match vector {
        Vector::Const(value) => value.as_bool(),
        Vector::Column(column) => match &column.data {
            Data::Bool(values) => column.is_valid(row).then(|| values[row]),
            _ => column.get(row).as_bool(),
        },
    }
}

fn bools(values: &[Option<bool>]) -> Vector {
    let mut builder = ColumnBuilder::new(Type::Bool);
    for value in values {
        builder.push(value.map_or(Value::Null, Value::Bool));
    }
    builder.finish().into()
}

fn map2(
    ty: Type,
    left: &Vector,
    right: &Vector,
    rows: usize,
    f: impl Fn(&Value, &Value) -> Value,
) -> Vector {
    if let (Vector::Const(left), Vector::Const(right)) = (left, right) {
        return Vector::Const(f(left, right));
    }
    let values = (0..rows).map(|row| f(&left.get(row), &right.get(row)));
    Column::from_values(ty, values).into()
}

fn index_of(object: &Value, index: &Value) -> Value {
    match (object, index) {
        (Value::Bag(bag), Value::String(key)) => bag.get(key).cloned().unwrap_or_default(),
        (Value::Array(items), Value::Long(index)) => {
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let at = if *index < 0 {
                length.saturating_add(*index)
            } else {
                *index
            };
            usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at))
                .cloned()
                .unwrap_or_default()
        }
        _ => Value::Null,
    }
}

fn member(object: &Vector, key: &Arc<str>, rows: usize) -> Vector {
    let of_value = |value: &Value| match value {
        Value::Bag(bag) => bag.get(key).cloned().unwrap_or_default(),
        _ => Value::Null,
    };
    let column = match object {
        Vector::Const(value) => return Vector::Const(of_value(value)),
        Vector::Column(column) => column,
    };
    let Data::Json(texts) = &column.data else {
        let values = (0..rows).map(|row| of_value(&column.get(row)));
        return Column::from_values(Type::Dynamic, values).into();
    };
    // Rows that share one text are parsed once.
    let mut last: Option<(&Arc<str>, Value)> = None;
    let values = texts.iter().map(|text| {
        if let Some((seen, value)) = &last
            && Arc::ptr_eq(seen, text)
        {
            return value.clone();
        }
        let value = json::member(text, key);
        last = Some((text, value.clone()));
        value
    });
    Column::from_values(Type::Dynamic, values).into()
}

fn convert_vector(vector: Vector, ty: Type, rows: usize) -> Vector {
    let column = match &vector {
        Vector::Const(value) => return Vector::Const(convert(value, ty)),
        Vector::Column(column) => column,
    };
    if column.ty == ty {
        return vector;
    }
    match (&column.data, ty) {
        (Data::Long(values), Type::Real) if column.ty.is_integer() => {
            #[expect(clippy::cast_precision_loss, reason = "Kusto widens long to real")]
            let reals = values.iter().map(|value| *value as f64).collect();
            Column::of(ty, Data::Real(reals), column.valid.clone()).into()
        }
        (Data::Long(_), Type::Long) if column.ty == Type::Int => {
            Column::of(ty, column.data.clone(), column.valid.clone()).into()
        }
        _ => Column::from_values(ty, (0..rows).map(|row| convert(&column.get(row), ty))).into(),
    }
}

fn in_set(value: &Vector, set: &InSet, negated: bool, fold: bool, rows: usize) -> Vector {
    let mut key = Vec::new();
    let column = match value {
        Vector::Const(value) => {
            return Vector::Const(Value::Bool(set.contains(value, fold, &mut key) != negated));
        }
        Vector::Column(column) => column,
    };
    let flags = match &column.data {
        Data::String(texts) if !fold => texts
            .iter()
            .map(|text| set.texts.contains(text) != negated)
            .collect(),
        _ => (0..rows)
            .map(|row| set.contains(&column.get(row), fold, &mut key) != negated)
            .collect(),
    };
    Column::of(Type::Bool, Data::Bool(flags), None).into()
}
