//! Functions of null, emptiness and choice.

use super::{Context, Function};
use crate::convert::{parse_long, parse_real};
use crate::value::Value;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("isnull", "any -> b", |_, args| {
        Value::Bool(args[0].is_null())
    }),
    Function::new("isnotnull", "any -> b", |_, args| {
        Value::Bool(!args[0].is_null())
    }),
    Function::new("isempty", "any -> b", |_, args| {
        Value::Bool(is_empty(&args[0]))
    }),
    Function::new("isnotempty", "any -> b", |_, args| {
        Value::Bool(!is_empty(&args[0]))
    }),
    Function::new("not", "b -> b", |_, args| {
        args[0]
            .as_bool()
            .map_or(Value::Null, |flag| Value::Bool(!flag))
    }),
    Function::new("coalesce", "any,any,any* -> common", |_, args| {
        args.iter()
            .find(|arg| !is_empty(arg))
            .or_else(|| args.last())
            .cloned()
            .unwrap_or_default()
    }),
    Function::new("max_of", "ord,ord,ord* -> common", |_, args| {
        extreme(args, false)
    }),
    Function::new("min_of", "ord,ord,ord* -> common", |_, args| {
        extreme(args, true)
    }),
    Function::new("_to_number", "any -> d", |_, args| match &args[0] {
        Value::String(text) => match parse_long(text.trim()) {
            Some(number) => Value::Long(number),
            None => parse_real(text.trim()).map_or(Value::Null, Value::Real),
        },
        Value::Bool(flag) => Value::Long(i64::from(*flag)),
        number @ (Value::Long(_) | Value::Real(_) | Value::Decimal(_)) => number.clone(),
        _ => Value::Null,
    }),
    Function::new(
        "_negate",
        "num -> =1; ts -> ts",
        |_: &mut Context, args| match &args[0] {
            Value::Long(number) => number.checked_neg().map_or(Value::Null, Value::Long),
            Value::TimeSpan(ticks) => ticks.checked_neg().map_or(Value::Null, Value::TimeSpan),
            Value::Real(number) => Value::Real(-number),
            Value::Decimal(number) => number.neg().map_or(Value::Null, Value::Decimal),
            _ => Value::Null,
        },
    ),
];

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

fn extreme(args: &[Value], least: bool) -> Value {
    let present = args.iter().filter(|arg| !arg.is_null());
    let found = if least {
        present.min_by(|a, b| a.order(b))
    } else {
        present.max_by(|a, b| a.order(b))
    };
    found.cloned().unwrap_or_default()
}
