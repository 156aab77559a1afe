//! `+ - * / %` on numbers and times.

use crate::batch::Vector;
use crate::column::{Column, ColumnBuilder, Data};
use crate::expr::Arithmetic;
use crate::time;
use crate::types::Type;
use crate::value::Value;
use crate::value::truncate;

pub(super) fn eval(
    op: Arithmetic,
    left: (&Vector, Type),
    right: (&Vector, Type),
    ty: Type,
    rows: usize,
) -> Vector {
    if let (Vector::Const(a), Vector::Const(b)) = (left.0, right.0) {
        let mut builder = ColumnBuilder::new(ty);
        builder.push(value(op, a, b, ty));
        return Vector::Const(builder.finish().get(0));
    }
    if ty == Type::Real
        && let (Some(a), Some(b)) = (reals(left.0), reals(right.0))
    {
        return real_column(op, &a, &b, left.0, right.0, rows);
    }
    if let (Some(a), Some(b)) = (longs(left.0), longs(right.0))
        && ty != Type::Real
    {
        return long_column(op, &a, &b, (left.0, right.0), ty, rows);
    }
    let values = (0..rows).map(|row| value(op, &left.0.get(row), &right.0.get(row), ty));
    Column::from_values(ty, values).into()
}

/// The numbers of a vector: one for all rows, or one for each row.
enum Side<'a, T> {
    One(T),
    Each(&'a [T]),
}

impl<T: Copy> Side<'_, T> {
    fn at(&self, row: usize) -> T {
        match self {
            Self::One(value) => *value,
            Self::Each(values) => values[row],
        }
    }
}

fn longs(vector: &Vector) -> Option<Side<'_, i64>> {
    match vector {
        Vector::Const(value) => value.as_long().map(Side::One),
        Vector::Column(column) => match &column.data {
            Data::Long(values) => Some(Side::Each(values)),
            _ => None,
        },
    }
}

fn reals(vector: &Vector) -> Option<Side<'_, f64>> {
    match vector {
        Vector::Const(value) => value.as_real().map(Side::One),
        Vector::Column(column) => match &column.data {
            Data::Real(values) => Some(Side::Each(values)),
            _ => None,
        },
    }
}

fn is_valid(vector: &Vector, row: usize) -> bool {
    match vector {
        Vector::Const(value) => !value.is_null(),
        Vector::Column(column) => column.is_valid(row),
    }
}

fn has_nulls(vector: &Vector) -> bool {
    matches!(vector, Vector::Column(column) if column.valid.is_some())
}

fn real_column(
    op: Arithmetic,
    a: &Side<'_, f64>,
    b: &Side<'_, f64>,
    left: &Vector,
    right: &Vector,
    rows: usize,
) -> Vector {
    if !has_nulls(left) && !has_nulls(right) {
        let values = (0..rows)
            .map(|row| real(op, a.at(row), b.at(row)))
            .collect();
        return Column::of(Type::Real, Data::Real(values), None).into();
    }
    let values = (0..rows).map(|row| {
        if is_valid(left, row) && is_valid(right, row) {
            Value::Real(real(op, a.at(row), b.at(row)))
        } else {
            Value::Null
        }
    });
    Column::from_values(Type::Real, values).into()
}

fn long_column(
    op: Arithmetic,
    a: &Side<'_, i64>,
    b: &Side<'_, i64>,
    sides: (&Vector, &Vector),
    ty: Type,
    rows: usize,
) -> Vector {
    let mut builder = ColumnBuilder::new(ty);
    for row in 0..rows {
        let result = if is_valid(sides.0, row) && is_valid(sides.1, row) {
            long(op, a.at(row), b.at(row))
                .filter(|result| ty != Type::DateTime || time::checked(*result).is_some())
        } else {
            None
        };
        match result {
            Some(result) => builder.push_long(result),
            None => builder.push_null(),
        }
    }
    builder.finish().into()
}

fn real(op: Arithmetic, a: f64, b: f64) -> f64 {
    match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Modulo => a.rem_euclid(b),
    }
}

fn long(op: Arithmetic, a: i64, b: i64) -> Option<i64> {
    match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Modulo => a.checked_rem_euclid(b),
    }
}

fn value(op: Arithmetic, a: &Value, b: &Value, ty: Type) -> Value {
    let wrap = |number: i64| match ty {
        Type::DateTime => time::checked(number).map_or(Value::Null, Value::DateTime),
        Type::TimeSpan => Value::TimeSpan(number),
        _ => Value::Long(number),
    };
    match (ty, a, b) {
        (_, Value::Null, _) | (_, _, Value::Null) => Value::Null,
        (Type::Decimal, ..) => {
            let decimal = |value: &Value| match crate::convert::convert(value, Type::Decimal) {
                Value::Decimal(number) => Some(number),
                _ => None,
            };
            let (Some(a), Some(b)) = (decimal(a), decimal(b)) else {
                return Value::Null;
            };
            let result = match op {
                Arithmetic::Add => a.add(b),
                Arithmetic::Subtract => a.sub(b),
                Arithmetic::Multiply => a.mul(b),
                Arithmetic::Divide => a.div(b),
                Arithmetic::Modulo => a.rem(b),
            };
            result.map_or(Value::Null, Value::Decimal)
        }
        (Type::Real, Value::TimeSpan(a), Value::TimeSpan(b)) => {
            let (a, b) = (
                Value::Long(*a).as_real().unwrap_or(0.0),
                Value::Long(*b).as_real().unwrap_or(0.0),
            );
            Value::Real(real(op, a, b))
        }
        (Type::Real, ..) => match (a.as_real(), b.as_real()) {
            (Some(a), Some(b)) => Value::Real(real(op, a, b)),
            _ => Value::Null,
        },
        _ => match (a.as_long(), b.as_long()) {
            (Some(a), Some(b)) => long(op, a, b).map_or(Value::Null, wrap),
            // A timespan multiplied or divided by a real.
            _ => {
                let number = |value: &Value| {
                    value
                        .as_real()
                        .or_else(|| Value::Long(value.as_long()?).as_real())
                };
                match (number(a), number(b)) {
                    (Some(a), Some(b)) => {
                        truncate(real(op, a, b).round()).map_or(Value::Null, wrap)
                    }
                    _ => Value::Null,
                }
            }
        },
    }
}
