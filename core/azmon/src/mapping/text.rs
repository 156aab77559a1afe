//! Attribute values as text: numbers as JavaScript writes them, arrays as JSON.

use opentelemetry::{Array, Value};

use crate::mapping::Arena;

/// The text of a scalar value; `None` for an empty text and for an array.
pub(super) fn of_scalar<'a>(value: &'a Value, arena: &'a Arena) -> Option<&'a str> {
    match value {
        Value::Array(_) => None,
        scalar => Some(of(scalar, arena)).filter(|text| !text.is_empty()),
    }
}

/// The text of any value, for a custom dimension.
pub(super) fn of<'a>(value: &'a Value, arena: &'a Arena) -> &'a str {
    match value {
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::I64(number) => arena.copy(itoa::Buffer::new().format(*number)),
        Value::F64(number) => arena.copy(ryu_js::Buffer::new().format(*number)),
        Value::String(text) => text.as_str(),
        Value::Array(array) => of_array(array, arena),
        // A type that a later version of OpenTelemetry adds.
        other => arena.format(format_args!("{other}")),
    }
}

/// Converts a number, or a text that contains one.
pub(super) fn to_number(value: &Value) -> Option<f64> {
    match value {
        Value::I64(number) => Some(*number as f64),
        Value::F64(number) => Some(*number),
        Value::String(text) => text.as_str().trim().parse().ok(),
        _ => None,
    }
}

fn of_array<'a>(array: &'a Array, arena: &'a Arena) -> &'a str {
    match array {
        Array::Bool(items) => json(items, arena, |json, item| {
            json.push_str(if *item { "true" } else { "false" });
        }),
        Array::I64(items) => json(items, arena, |json, item| {
            json.push_str(itoa::Buffer::new().format(*item));
        }),
        Array::F64(items) => json(items, arena, |json, item| push_float(json, *item)),
        Array::String(items) => json(items, arena, |json, item| push_quoted(json, item.as_str())),
        other => arena.format(format_args!("{other}")),
    }
}

fn json<'a, T>(
    items: &[T],
    arena: &'a Arena,
    push: impl Fn(&mut bumpalo::collections::String<'a>, &T),
) -> &'a str {
    let mut json = arena.string(2 + 8 * items.len());
    json.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push(&mut json, item);
    }
    json.push(']');
    json.into_bump_str()
}

/// JSON cannot represent a number that is not finite. It becomes a string, as in OTLP's JSON.
fn push_float(json: &mut bumpalo::collections::String<'_>, number: f64) {
    let mut buffer = ryu_js::Buffer::new();
    let text = buffer.format(number);
    if number.is_finite() {
        json.push_str(text);
    } else {
        push_quoted(json, text);
    }
}

fn push_quoted(json: &mut bumpalo::collections::String<'_>, text: &str) {
    match serde_json::to_string(text) {
        Ok(quoted) => json.push_str(&quoted),
        // Writing to memory does not fail.
        Err(_) => json.push_str("\"\""),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::StringValue;

    use super::*;

    fn text(value: impl Into<Value>) -> String {
        of(&value.into(), &Arena::new()).to_owned()
    }

    #[test]
    fn numbers_are_written_in_full_and_as_javascript_does() {
        for (number, expected) in [
            (i64::MIN, "-9223372036854775808"),
            (9_007_199_254_740_993, "9007199254740993"),
            (0, "0"),
        ] {
            assert_eq!(text(number), expected);
        }
        for (number, expected) in [
            (1.5, "1.5"),
            (2.0, "2"),
            (1e-7, "1e-7"),
            (1e21, "1e+21"),
            (-0.0, "0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(number), expected);
        }
        assert_eq!(text(true), "true");
    }

    #[test]
    fn arrays_are_json() {
        let words: Vec<StringValue> = vec!["a\"b".into(), "世".into()];
        assert_eq!(text(Value::Array(words.into())), r#"["a\"b","世"]"#);
        assert_eq!(
            text(Value::Array(vec![1.0, 2.5, f64::NAN].into())),
            r#"[1,2.5,"NaN"]"#
        );
        assert_eq!(text(Value::Array(vec![1, -2].into())), "[1,-2]");
        assert_eq!(text(Value::Array(vec![true, false].into())), "[true,false]");
        assert_eq!(text(Value::Array(Vec::<i64>::new().into())), "[]");
    }

    #[test]
    fn neither_arrays_nor_empty_texts_fill_a_field() {
        let arena = Arena::new();
        assert_eq!(of_scalar(&Value::Array(vec![1].into()), &arena), None);
        assert_eq!(of_scalar(&Value::String("".into()), &arena), None);
        assert_eq!(of_scalar(&Value::I64(7), &arena), Some("7"));
    }
}
