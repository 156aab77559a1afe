//! Conversions between types. An impossible conversion gives null, never an error.

use crate::decimal::Decimal;
use crate::time;
use crate::types::Type;
use crate::value::{Value, parse_guid, truncate};

/// Converts a value like the functions `tolong`, `tostring` and so on.
pub(crate) fn convert(value: &Value, ty: Type) -> Value {
    let converted = match ty {
        Type::Bool => to_bool(value).map(Value::Bool),
        Type::Int => to_long(value)
            .filter(|number| i32::try_from(*number).is_ok())
            .map(Value::Long),
        Type::Long => to_long(value).map(Value::Long),
        Type::Real => to_real(value).map(Value::Real),
        Type::Decimal => to_decimal(value).map(Value::Decimal),
        Type::String => Some(Value::String(value.to_text())),
        Type::DateTime => to_datetime(value).map(Value::DateTime),
        Type::TimeSpan => to_timespan(value).map(Value::TimeSpan),
        Type::Guid => match value {
            Value::Guid(guid) => Some(Value::Guid(*guid)),
            Value::String(text) => parse_guid(text).map(Value::Guid),
            _ => None,
        },
        Type::Dynamic => Some(value.clone()),
    };
    converted.unwrap_or_default()
}

fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Long(number) => Some(*number != 0),
        Value::Real(number) => Some(*number != 0.0),
        Value::String(text) => match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            text => text.parse::<i64>().ok().map(|number| number != 0),
        },
        _ => None,
    }
}

fn to_long(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Long(number) | Value::DateTime(number) | Value::TimeSpan(number) => Some(*number),
        Value::Real(number) => truncate(*number),
        Value::Decimal(number) => number.to_long(),
        Value::String(text) => parse_long(text.trim()),
        _ => None,
    }
}

pub(crate) fn parse_long(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(hex) if !hex.starts_with(['+', '-']) => {
            let number = u64::from_str_radix(hex, 16).ok()?.cast_signed();
            if negative {
                number.checked_neg()
            } else {
                Some(number)
            }
        }
        _ => text.parse().ok(),
    }
}

pub(crate) fn parse_real(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "+inf" | "infinity" | "+infinity" => Some(f64::INFINITY),
        "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
        lower if lower.starts_with("0x") => {
            parse_long(lower).and_then(|number| Value::Long(number).as_real())
        }
        lower => lower.parse().ok(),
    }
}

fn to_real(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::DateTime(ticks) | Value::TimeSpan(ticks) => Value::Long(*ticks).as_real(),
        Value::String(text) => parse_real(text.trim()),
        other => other.as_real(),
    }
}

fn to_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Bool(flag) => Some(Decimal::from_long(i64::from(*flag))),
        Value::Long(number) => Some(Decimal::from_long(*number)),
        Value::Real(number) => Decimal::from_real(*number),
        Value::Decimal(number) => Some(*number),
        Value::String(text) => Decimal::parse(text),
        _ => None,
    }
}

fn to_datetime(value: &Value) -> Option<i64> {
    match value {
        Value::DateTime(ticks) => Some(*ticks),
        Value::Long(ticks) => time::checked(*ticks),
        Value::String(text) => time::parse_datetime(text),
        _ => None,
    }
}

fn to_timespan(value: &Value) -> Option<i64> {
    match value {
        Value::TimeSpan(ticks) | Value::Long(ticks) => Some(*ticks),
        Value::String(text) => time::parse_timespan(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unconvertible_values_are_null() {
        for (text, ty) in [
            ("x", Type::Int),
            ("3000000000", Type::Int),
            ("", Type::Long),
            ("1.5.2", Type::Real),
            ("maybe", Type::Bool),
            ("yesterday", Type::DateTime),
            ("1w", Type::TimeSpan),
            ("12", Type::Guid),
        ] {
            assert!(convert(&Value::text(text), ty).is_null(), "{text}");
        }
        assert!(convert(&Value::Real(f64::NAN), Type::Long).is_null());
        assert!(convert(&Value::Real(9.3e18), Type::Long).is_null());
    }

    #[test]
    fn texts_of_numbers_and_times_are_converted() {
        assert_eq!(
            convert(&Value::text(" 0x1F "), Type::Long).as_long(),
            Some(31)
        );
        assert_eq!(
            convert(&Value::text("TRUE"), Type::Bool).as_bool(),
            Some(true)
        );
        assert_eq!(
            convert(&Value::text("1.5e3"), Type::Real).as_real(),
            Some(1500.0)
        );
        assert_eq!(convert(&Value::Real(-2.7), Type::Long).as_long(), Some(-2));
    }
}
