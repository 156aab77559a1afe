//! Functions over several rows; the batch contains all rows.

use super::bool_at;
use crate::batch::Vector;
use crate::column::Column;
use crate::expr::Window;
use crate::types::Type;
use crate::value::Value;

pub(super) fn eval(window: Window, args: &[Vector], ty: Type, rows: usize) -> Vector {
    let restarts = |index: usize, row: usize| {
        args.get(index)
            .is_some_and(|vector| bool_at(vector, row) == Some(true))
    };
    let values: Vec<Value> = match window {
        Window::Previous => neighbours(args, rows, -1),
        Window::Next => neighbours(args, rows, 1),
        Window::RowNumber => {
            let start = args
                .first()
                .and_then(|start| start.get(0).as_long())
                .unwrap_or(1);
            let mut number = start;
            (0..rows)
                .map(|row| {
                    number = if row == 0 || restarts(1, row) {
                        start
                    } else {
                        number.saturating_add(1)
                    };
                    Value::Long(number)
                })
                .collect()
        }
        Window::CumulativeSum => {
            let mut sum = Value::Null;
            (0..rows)
                .map(|row| {
                    if restarts(1, row) {
                        sum = Value::Null;
                    }
                    sum = add(&sum, &args[0].get(row));
                    sum.clone()
                })
                .collect()
        }
        Window::RankDense | Window::RankMin => {
            let (mut rank, mut position) = (0, 0);
            let mut last: Option<Value> = None;
            (0..rows)
                .map(|row| {
                    if restarts(1, row) {
                        (rank, position, last) = (0, 0, None);
                    }
                    position += 1;
                    let value = args[0].get(row);
                    if last.as_ref().is_none_or(|last| !last.same(&value)) {
                        rank = if window == Window::RankDense {
                            rank + 1
                        } else {
                            position
                        };
                    }
                    last = Some(value);
                    Value::Long(rank)
                })
                .collect()
        }
        Window::Session => sessions(args, rows),
    };
    Column::from_values(ty, values).into()
}

fn add(sum: &Value, value: &Value) -> Value {
    match (sum, value) {
        (_, Value::Null) => sum.clone(),
        (Value::Null, _) => value.clone(),
        (Value::Long(a), Value::Long(b)) => Value::Long(a.saturating_add(*b)),
        (Value::TimeSpan(a), Value::TimeSpan(b)) => Value::TimeSpan(a.saturating_add(*b)),
        (Value::Decimal(a), Value::Decimal(b)) => a.add(*b).map_or(Value::Null, Value::Decimal),
        _ => match (sum.as_real(), value.as_real()) {
            (Some(a), Some(b)) => Value::Real(a + b),
            _ => Value::Null,
        },
    }
}

/// `prev` and `next`: the value a number of rows away, or the default.
fn neighbours(args: &[Vector], rows: usize, direction: i64) -> Vec<Value> {
    let distance = args
        .get(1)
        .map_or(Some(1), |distance| distance.get(0).as_long());
    (0..rows)
        .map(|row| {
            let at = distance.and_then(|distance| {
                i64::try_from(row)
                    .ok()?
                    .checked_add(distance.checked_mul(direction)?)
            });
            match at
                .and_then(|at| usize::try_from(at).ok())
                .filter(|at| *at < rows)
            {
                Some(at) => args[0].get(at),
                None => args.get(2).map_or(Value::Null, |default| default.get(row)),
            }
        })
        .collect()
}

/// `row_window_session(time, longest, gap, restart)`: the start of the session of each row.
fn sessions(args: &[Vector], rows: usize) -> Vec<Value> {
    let bound = |index: usize| {
        args.get(index)
            .and_then(|vector| vector.get(0).as_long())
            .unwrap_or(i64::MAX)
    };
    let (longest, gap) = (bound(1), bound(2));
    let mut session: Option<i64> = None;
    let mut last = 0_i64;
    (0..rows)
        .map(|row| {
            let Some(ticks) = args[0].get(row).as_long() else {
                return Value::Null;
            };
            let restarts = args
                .get(3)
                .is_some_and(|vector| bool_at(vector, row) == Some(true));
            let start = match session {
                Some(start) if !restarts && ticks - start <= longest && ticks - last <= gap => {
                    start
                }
                _ => ticks,
            };
            session = Some(start);
            last = ticks;
            Value::DateTime(start)
        })
        .collect()
}
