//! Functions of numbers.

use super::text::long;
use super::{Context, Function};
use crate::decimal::Decimal;
use crate::value::Value;
use crate::value::truncate;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("abs", "i -> l; num -> =1; ts -> ts", abs).first(),
    Function::new("sign", "num -> r", |_, args| {
        number(args).map_or(Value::Null, |x| {
            Value::Real(if x == 0.0 { 0.0 } else { x.signum() })
        })
    }),
    Function::new("round", "num,[int] -> r", round).first(),
    Function::new(
        "bin",
        "num,num -> widest; ts,ts -> ts; dt,ts -> dt; ts,num -> ts; dt,dt -> dt",
        bin,
    )
    .first(),
    Function::new(
        "bin_at",
        "num,num,num -> widest; ts,ts,ts -> ts; dt,ts,dt -> dt; ts,num,ts -> ts",
        bin_at,
    )
    .first(),
    Function::new("ceiling", "num -> =1", ceiling).first(),
    Function::new("sqrt", "num -> r", |_, args| {
        real(args, |x| if x < 0.0 { f64::NAN } else { x.sqrt() })
    })
    .first(),
    Function::new("exp", "num -> r", |_, args| real(args, f64::exp)).first(),
    Function::new("exp2", "num -> r", |_, args| real(args, f64::exp2)).first(),
    Function::new("exp10", "num -> r", |_, args| {
        real(args, |x| 10_f64.powf(x))
    })
    .first(),
    Function::new("log", "num -> r", |_, args| logarithm(args, f64::ln)).first(),
    Function::new("log2", "num -> r", |_, args| logarithm(args, f64::log2)).first(),
    Function::new("log10", "num -> r", |_, args| logarithm(args, f64::log10)).first(),
    Function::new("pow", "num,num -> r", |_, args| {
        match (number(args), args[1].as_real()) {
            (Some(x), Some(y)) => Value::Real(x.powf(y)),
            _ => Value::Null,
        }
    })
    .first(),
    Function::new("sin", "num -> r", |_, args| real(args, f64::sin)).first(),
    Function::new("cos", "num -> r", |_, args| real(args, f64::cos)).first(),
    Function::new("tan", "num -> r", |_, args| real(args, f64::tan)).first(),
    Function::new("cot", "num -> r", |_, args| real(args, |x| x.tan().recip())).first(),
    Function::new("asin", "num -> r", |_, args| real(args, f64::asin)).first(),
    Function::new("acos", "num -> r", |_, args| real(args, f64::acos)).first(),
    Function::new("atan", "num -> r", |_, args| real(args, f64::atan)).first(),
    Function::new("atan2", "num,num -> r", |_, args| {
        match (number(args), args[1].as_real()) {
            (Some(y), Some(x)) => Value::Real(y.atan2(x)),
            _ => Value::Null,
        }
    })
    .first(),
    Function::new("pi", "-> r", |_, _| Value::Real(std::f64::consts::PI)),
    Function::new("degrees", "num -> r", |_, args| {
        real(args, |x| x * 180.0 / std::f64::consts::PI)
    }),
    Function::new("radians", "num -> r", |_, args| {
        real(args, |x| x * std::f64::consts::PI / 180.0)
    }),
    Function::new("isnan", "num -> b", |_, args| flag(args, f64::is_nan)),
    Function::new("isinf", "num -> b", |_, args| flag(args, f64::is_infinite)),
    Function::new("isfinite", "num -> b", |_, args| flag(args, f64::is_finite)),
    Function::new("rand", "[int] -> r", rand),
    Function::new("tohex", "l,[int] -> s", |_, args| hex(args, false)).first(),
    Function::new("_tohex_int", "i,[int] -> s", |_, args| hex(args, true)).first(),
    Function::new("binary_and", "int,int -> l", |_, args| {
        bits(args, |a, b| a & b)
    })
    .first(),
    Function::new("binary_or", "int,int -> l", |_, args| {
        bits(args, |a, b| a | b)
    })
    .first(),
    Function::new("binary_xor", "int,int -> l", |_, args| {
        bits(args, |a, b| a ^ b)
    })
    .first(),
    Function::new("binary_not", "int -> l", |_, args| {
        long(args, 0).map_or(Value::Null, |a| Value::Long(!a))
    })
    .first(),
    Function::new("binary_shift_left", "int,int -> l", |_, args| {
        bits(args, |a, b| a.wrapping_shl(shift(b)))
    })
    .first(),
    Function::new("binary_shift_right", "int,int -> l", |_, args| {
        bits(args, |a, b| a.wrapping_shr(shift(b)))
    })
    .first(),
    Function::new("bitset_count_ones", "int -> l", |_, args| {
        long(args, 0).map_or(Value::Null, |a| Value::Long(i64::from(a.count_ones())))
    }),
    Function::new("format_bytes", "num,[num],[s] -> s", format_bytes).first(),
];

fn shift(by: i64) -> u32 {
    u32::try_from(by.rem_euclid(64)).unwrap_or(0)
}

fn number(args: &[Value]) -> Option<f64> {
    args.first().and_then(Value::as_real)
}

fn real(args: &[Value], f: impl Fn(f64) -> f64) -> Value {
    number(args).map_or(Value::Null, |x| Value::Real(f(x)))
}

/// Null for numbers without a logarithm.
fn logarithm(args: &[Value], f: impl Fn(f64) -> f64) -> Value {
    number(args)
        .filter(|x| *x >= 0.0)
        .map_or(Value::Null, |x| Value::Real(f(x)))
}

fn flag(args: &[Value], f: impl Fn(f64) -> bool) -> Value {
    number(args).map_or(Value::Null, |x| Value::Bool(f(x)))
}

fn bits(args: &[Value], f: impl Fn(i64, i64) -> i64) -> Value {
    match (long(args, 0), long(args, 1)) {
        (Some(a), Some(b)) => Value::Long(f(a, b)),
        _ => Value::Null,
    }
}

fn abs(_: &mut Context, args: &[Value]) -> Value {
    match &args[0] {
        Value::Long(number) => number.checked_abs().map_or(Value::Null, Value::Long),
        Value::TimeSpan(ticks) => ticks.checked_abs().map_or(Value::Null, Value::TimeSpan),
        Value::Real(number) => Value::Real(number.abs()),
        Value::Decimal(number) => number.abs().map_or(Value::Null, Value::Decimal),
        _ => Value::Null,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounded before")]
fn round(_: &mut Context, args: &[Value]) -> Value {
    let precision = if args.len() > 1 {
        long(args, 1)
    } else {
        Some(0)
    };
    let (Some(x), Some(precision)) = (number(args), precision) else {
        return Value::Null;
    };
    let factor = 10_f64.powi(precision.clamp(-300, 300) as i32);
    let scaled = x * factor;
    Value::Real(if scaled.is_finite() {
        scaled.round() / factor
    } else {
        x
    })
}

fn ceiling(_: &mut Context, args: &[Value]) -> Value {
    match &args[0] {
        Value::Real(number) => Value::Real(number.ceil()),
        Value::Decimal(number) => truncate(number.to_real().ceil())
            .map_or(Value::Null, |x| Value::Decimal(Decimal::from_long(x))),
        other => other.clone(),
    }
}

/// The multiple of `step` at or below the value; null if the step is not positive.
pub(crate) fn bin_of(value: &Value, step: &Value, origin: &Value) -> Value {
    let whole = |x: i64, step: i64, origin: i64| {
        let offset = i128::from(x) - i128::from(origin);
        let binned = offset.div_euclid(i128::from(step)) * i128::from(step) + i128::from(origin);
        i64::try_from(binned).ok()
    };
    match (value, step, origin) {
        (_, Value::Long(step) | Value::TimeSpan(step) | Value::DateTime(step), _) if *step <= 0 => {
            Value::Null
        }
        (Value::Long(x), Value::Long(step), Value::Long(origin)) => {
            whole(*x, *step, *origin).map_or(Value::Null, Value::Long)
        }
        (Value::TimeSpan(x), Value::TimeSpan(step), Value::TimeSpan(origin)) => {
            whole(*x, *step, *origin).map_or(Value::Null, Value::TimeSpan)
        }
        (Value::TimeSpan(x), Value::Long(step), Value::TimeSpan(origin)) => {
            whole(*x, *step, *origin).map_or(Value::Null, Value::TimeSpan)
        }
        (
            Value::DateTime(x),
            Value::TimeSpan(step) | Value::DateTime(step),
            Value::DateTime(origin),
        ) => whole(*x, *step, *origin)
            .filter(|x| *x >= 0)
            .map_or(Value::Null, Value::DateTime),
        (Value::Decimal(_), ..) | (_, Value::Decimal(_), _) => {
            let binned = (|| {
                let (x, step, origin) = (value.as_real()?, step.as_real()?, origin.as_real()?);
                Decimal::from_real(((x - origin) / step).floor() * step + origin)
            })();
            binned.map_or(Value::Null, Value::Decimal)
        }
        _ => match (value.as_real(), step.as_real(), origin.as_real()) {
            (Some(x), Some(step), Some(origin)) if step > 0.0 => {
                Value::Real(((x - origin) / step).floor() * step + origin)
            }
            _ => Value::Null,
        },
    }
}

fn bin(_: &mut Context, args: &[Value]) -> Value {
    let origin = match &args[0] {
        Value::DateTime(_) => Value::DateTime(0),
        Value::TimeSpan(_) => Value::TimeSpan(0),
        _ => Value::Long(0),
    };
    bin_of(&args[0], &args[1], &origin)
}

fn bin_at(_: &mut Context, args: &[Value]) -> Value {
    bin_of(&args[0], &args[1], &args[2])
}

fn rand(_: &mut Context, args: &[Value]) -> Value {
    match long(args, 0) {
        Some(bound @ 1..) => Value::Long(fastrand::i64(0..bound)),
        _ => Value::Real(fastrand::f64()),
    }
}

fn hex(args: &[Value], int: bool) -> Value {
    let Some(number) = long(args, 0) else {
        return Value::text("");
    };
    let width = long(args, 1)
        .and_then(|width| usize::try_from(width.clamp(0, 64)).ok())
        .unwrap_or(0);
    match (int, i32::try_from(number)) {
        (true, Ok(number)) => Value::text(format!("{number:0width$x}")),
        _ => Value::text(format!("{number:0width$x}")),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounded before")]
#[expect(clippy::cast_sign_loss, reason = "bounded before")]
fn format_bytes(_: &mut Context, args: &[Value]) -> Value {
    const UNITS: [&str; 9] = ["B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

    let Some(mut bytes) = number(args) else {
        return Value::text("");
    };
    let precision = args
        .get(1)
        .and_then(Value::as_real)
        .unwrap_or(0.0)
        .clamp(0.0, 15.0) as usize;
    let wanted = args
        .get(2)
        .map(Value::to_text)
        .filter(|unit| !unit.is_empty());
    let mut unit = 0;
    while unit + 1 < UNITS.len() {
        let done = match &wanted {
            Some(wanted) => UNITS[unit].eq_ignore_ascii_case(wanted),
            None => bytes.abs() < 1024.0,
        };
        if done {
            break;
        }
        bytes /= 1024.0;
        unit += 1;
    }
    let factor = 10_f64.powi(precision as i32);
    let rounded = (bytes * factor).round() / factor;
    Value::text(format!("{rounded} {}", UNITS[unit]))
}
