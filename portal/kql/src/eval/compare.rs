//! Comparisons of values of one type.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::batch::Vector;
use crate::column::{Column, Data};
use crate::expr::Compare;
use crate::types::Type;
use crate::value::Value;

/// Compares row by row. Equality of a null and a value is false, of two nulls null.
pub(super) fn eval(op: Compare, left: &Vector, right: &Vector, rows: usize) -> Vector {
    if let (Vector::Const(a), Vector::Const(b)) = (left, right) {
        return Vector::Const(value(op, a, b).map_or(Value::Null, Value::Bool));
    }
    if let Some(flags) = fast(op, left, right) {
        return Column::of(Type::Bool, Data::Bool(flags), None).into();
    }
    let values = (0..rows)
        .map(|row| value(op, &left.get(row), &right.get(row)).map_or(Value::Null, Value::Bool));
    Column::from_values(Type::Bool, values).into()
}

/// Compares columns without nulls to a constant or another column.
fn fast(op: Compare, left: &Vector, right: &Vector) -> Option<Vec<bool>> {
    let Vector::Column(column) = left else {
        let Vector::Column(_) = right else {
            return None;
        };
        return fast(mirrored(op), right, left);
    };
    if column.valid.is_some() {
        return None;
    }
    match (&column.data, right) {
        (Data::Long(values), Vector::Const(value)) => {
            let constant = value.as_long()?;
            Some(
                values
                    .iter()
                    .map(|value| holds(op, value.cmp(&constant)))
                    .collect(),
            )
        }
        (Data::Real(values), Vector::Const(value)) => {
            let constant = value.as_real()?;
            Some(
                values
                    .iter()
                    .map(|value| holds_partial(op, value.partial_cmp(&constant)))
                    .collect(),
            )
        }
        (Data::String(values), Vector::Const(Value::String(constant))) => Some(match op {
            Compare::Equal => values.iter().map(|value| same(value, constant)).collect(),
            Compare::NotEqual => values.iter().map(|value| !same(value, constant)).collect(),
            _ => values
                .iter()
                .map(|value| holds(op, value.cmp(constant)))
                .collect(),
        }),
        (Data::Long(a), Vector::Column(other)) if other.valid.is_none() => match &other.data {
            Data::Long(b) => Some(a.iter().zip(b).map(|(a, b)| holds(op, a.cmp(b))).collect()),
            _ => None,
        },
        (Data::Real(a), Vector::Column(other)) if other.valid.is_none() => match &other.data {
            Data::Real(b) => Some(
                a.iter()
                    .zip(b)
                    .map(|(a, b)| holds_partial(op, a.partial_cmp(b)))
                    .collect(),
            ),
            _ => None,
        },
        _ => None,
    }
}

fn same(a: &Arc<str>, b: &Arc<str>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

fn mirrored(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::Greater,
        Compare::LessOrEqual => Compare::GreaterOrEqual,
        Compare::Greater => Compare::Less,
        Compare::GreaterOrEqual => Compare::LessOrEqual,
        other => other,
    }
}

fn holds(op: Compare, order: Ordering) -> bool {
    match op {
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
    }
}

/// NaN is unequal to everything, and neither less nor greater.
fn holds_partial(op: Compare, order: Option<Ordering>) -> bool {
    order.map_or(op == Compare::NotEqual, |order| holds(op, order))
}

fn value(op: Compare, a: &Value, b: &Value) -> Option<bool> {
    match (a.is_null(), b.is_null()) {
        (true, true) => return None,
        (false, false) => {}
        _ => match op {
            Compare::Equal => return Some(false),
            Compare::NotEqual => return Some(true),
            _ => return None,
        },
    }
    if let (Value::Real(_), _) | (_, Value::Real(_)) = (a, b)
        && let (Some(a), Some(b)) = (a.as_real(), b.as_real())
    {
        return Some(holds_partial(op, a.partial_cmp(&b)));
    }
    match op {
        Compare::Equal => Some(a.same(b)),
        Compare::NotEqual => Some(!a.same(b)),
        _ => Some(holds(op, a.order(b))),
    }
}
