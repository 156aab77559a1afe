//! Compares a cell with the expected one.

use azmon_kql::Value;
use serde_json::Value as Json;

/// The tolerated relative difference of numbers.
const RELATIVE: f64 = 1e-9;
/// The number of digits from which an expected number counts as rounded.
const ROUNDED_DIGITS: usize = 6;

/// Compares a cell with the expected one, read as its column's type.
pub(super) fn same_cell(expected: &Json, actual: &Value, ty: Option<&str>) -> bool {
    match (ty, expected) {
        (Some("string"), Json::Null) => matches!(actual, Value::Null) || text_of(actual).is_empty(),
        (Some("string"), Json::String(text)) if text.is_empty() => text_of(actual).is_empty(),
        (Some("dynamic"), Json::String(text)) => {
            same(expected, actual)
                || (!matches!(actual, Value::String(_)) && text_of(actual) == *text)
        }
        _ => same(expected, actual),
    }
}

fn same(expected: &Json, actual: &Value) -> bool {
    match (expected, actual) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(a), Value::Bool(b)) => a == b,
        (Json::Bool(a), Value::Long(b)) => i64::from(*a) == *b,
        (Json::Number(a), Value::Long(b)) => a
            .as_i64()
            .map_or_else(|| same_number(a.as_f64(), to_real(actual)), |a| a == *b),
        (Json::Number(a), Value::Real(b)) => same_number(a.as_f64(), Some(*b)),
        (Json::Number(a), Value::Decimal(b)) => same_number(a.as_f64(), b.to_string().parse().ok()),
        (Json::String(text), Value::Real(number)) => {
            text == &text_of(actual) || same_number(text.parse().ok(), Some(*number))
        }
        (Json::String(text), Value::DateTime(ticks)) => instant(text) == Some(*ticks),
        (Json::String(text), Value::TimeSpan(ticks)) => span(text) == Some(*ticks),
        (Json::String(text), Value::Guid(_)) => text.eq_ignore_ascii_case(&text_of(actual)),
        (Json::String(text), Value::String(found)) => {
            **found == **text || same_json_text(text, found)
        }
        (Json::String(text), Value::Decimal(_) | Value::Long(_) | Value::Bool(_)) => {
            *text == text_of(actual)
        }
        (Json::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Value::Bag(b)) => {
            a.len() == b.0.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|found| same(value, found)))
        }
        _ => false,
    }
}

/// Two texts that are the same JSON array or object.
fn same_json_text(a: &str, b: &str) -> bool {
    let parse = |text: &str| {
        serde_json::from_str::<Json>(text)
            .ok()
            .filter(|json| json.is_array() || json.is_object())
    };
    parse(a).is_some_and(|a| parse(b) == Some(a))
}

fn text_of(value: &Value) -> String {
    value.to_text().to_string()
}

#[expect(clippy::cast_precision_loss, reason = "compared with a tolerance")]
fn to_real(value: &Value) -> Option<f64> {
    match value {
        Value::Long(number) => Some(*number as f64),
        Value::Real(number) => Some(*number),
        _ => None,
    }
}

fn same_number(expected: Option<f64>, actual: Option<f64>) -> bool {
    let (Some(expected), Some(actual)) = (expected, actual) else {
        return false;
    };
    if expected.is_nan() || actual.is_nan() {
        return expected.is_nan() && actual.is_nan();
    }
    let difference = (expected - actual).abs();
    if expected == actual || difference <= RELATIVE * expected.abs().max(actual.abs()) {
        return true;
    }
    // An expected 7.389056 is a rounded number.
    let printed = format!("{expected}");
    let decimals = printed
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let digits = printed.chars().filter(char::is_ascii_digit).count();
    let exponent = i32::try_from(decimals).unwrap_or(0);
    decimals > 0 && digits >= ROUNDED_DIGITS && difference <= 0.51 * 10_f64.powi(-exponent)
}

/// Parses a value from its text, with a query.
fn literal(name: &str, text: &str) -> Option<Value> {
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    let query = format!("print {name}(\"{quoted}\")");
    let answer = azmon_kql::run(&query, &azmon_kql::NoTables, &azmon_kql::Options::new()).ok()?;
    answer.rows().next()?.into_iter().next()
}

fn instant(text: &str) -> Option<i64> {
    match literal("todatetime", text)? {
        Value::DateTime(ticks) => Some(ticks),
        _ => None,
    }
}

fn span(text: &str) -> Option<i64> {
    match literal("totimespan", text)? {
        Value::TimeSpan(ticks) => Some(ticks),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_as_instants() {
        let ticks = instant("2026-01-02T03:04:05Z").expect("a time");
        assert!(same(
            &Json::from("2026-01-02T03:04:05.0000000Z"),
            &Value::DateTime(ticks)
        ));
        assert!(!same(
            &Json::from("2026-01-02T03:04:06Z"),
            &Value::DateTime(ticks)
        ));
        assert!(same(
            &Json::from("1.00:00:00"),
            &Value::TimeSpan(864_000_000_000)
        ));
    }

    #[test]
    fn a_number_is_compared_to_the_digits_printed() {
        assert!(same_number(Some(7.389_056), Some(7.389_056_098_93)));
        assert!(!same_number(Some(7.389_056), Some(7.389_156)));
        assert!(!same_number(Some(24.0), Some(24.3)) && !same_number(Some(1.5), Some(1.52)));
    }
}
