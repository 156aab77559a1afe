//! Conversion of log record values to attribute values. A value without a matching attribute type becomes JSON.
//!
//! Bytes, maps and mixed lists follow OpenTelemetry's specification for protocols that lack them: bytes become Base64,
//! the others JSON, and numbers that JSON lacks become strings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry::logs::AnyValue;
use opentelemetry::{Array, StringValue, Value};
use serde_json::Value as Json;

/// Converts the value to an attribute value.
pub(super) fn to_value(any: &AnyValue) -> Value {
    match any {
        AnyValue::Int(number) => Value::I64(*number),
        AnyValue::Double(number) => Value::F64(*number),
        AnyValue::String(text) => Value::String(text.clone()),
        AnyValue::Boolean(value) => Value::Bool(*value),
        AnyValue::Bytes(bytes) => Value::String(STANDARD.encode(bytes.as_slice()).into()),
        AnyValue::ListAny(items) => list(items),
        other => Value::String(json(other).to_string().into()),
    }
}

/// A list of one type becomes an array, a mixed one JSON.
fn list(items: &[AnyValue]) -> Value {
    array(items).map_or_else(
        || {
            Value::String(
                Json::Array(items.iter().map(json).collect())
                    .to_string()
                    .into(),
            )
        },
        Value::Array,
    )
}

fn array(items: &[AnyValue]) -> Option<Array> {
    Some(match items.first()? {
        AnyValue::Int(_) => Array::I64(collect(items, |item| match item {
            AnyValue::Int(number) => Some(*number),
            _ => None,
        })?),
        AnyValue::Double(_) => Array::F64(collect(items, |item| match item {
            AnyValue::Double(number) => Some(*number),
            _ => None,
        })?),
        AnyValue::Boolean(_) => Array::Bool(collect(items, |item| match item {
            AnyValue::Boolean(value) => Some(*value),
            _ => None,
        })?),
        AnyValue::String(_) => Array::String(collect(items, |item| match item {
            AnyValue::String(text) => Some(StringValue::clone(text)),
            _ => None,
        })?),
        _ => return None,
    })
}

fn collect<T>(items: &[AnyValue], one: impl Fn(&AnyValue) -> Option<T>) -> Option<Vec<T>> {
    items.iter().map(one).collect()
}

fn json(any: &AnyValue) -> Json {
    match any {
        AnyValue::Int(number) => Json::from(*number),
        AnyValue::Double(number) => {
            let mut buffer = ryu_js::Buffer::new();
            serde_json::Number::from_f64(*number)
                .map_or_else(|| Json::from(buffer.format(*number)), Json::Number)
        }
        AnyValue::String(text) => Json::from(text.as_str()),
        AnyValue::Boolean(value) => Json::from(*value),
        AnyValue::Bytes(bytes) => Json::from(STANDARD.encode(bytes.as_slice())),
        AnyValue::ListAny(items) => Json::Array(items.iter().map(json).collect()),
        AnyValue::Map(fields) => {
            let fields = fields.iter();
            Json::Object(
                fields
                    .map(|(key, value)| (key.to_string(), json(value)))
                    .collect(),
            )
        }
        // A type that a later version of OpenTelemetry adds.
        other => Json::from(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry::Key;

    use super::*;

    fn map(pairs: &[(&'static str, AnyValue)]) -> AnyValue {
        let pairs = pairs.iter().cloned();
        let fields: HashMap<Key, AnyValue> =
            pairs.map(|(key, value)| (Key::new(key), value)).collect();
        AnyValue::Map(Box::new(fields))
    }

    fn list(items: &[AnyValue]) -> AnyValue {
        AnyValue::ListAny(Box::new(items.to_vec()))
    }

    #[test]
    fn scalars_keep_their_kind() {
        for (any, value) in [
            (AnyValue::from(i64::MIN), Value::I64(i64::MIN)),
            (AnyValue::from(0.5), Value::F64(0.5)),
            (AnyValue::from(true), Value::Bool(true)),
            (AnyValue::from("世"), Value::from("世")),
        ] {
            assert_eq!(to_value(&any), value);
        }
    }

    #[test]
    fn lists_of_one_kind_are_arrays_and_mixed_ones_json() {
        let ones = list(&[1.into(), 2.into()]);
        assert_eq!(to_value(&ones), Value::Array(vec![1, 2].into()));
        let texts = list(&["a".into()]);
        let expected: Vec<StringValue> = vec!["a".into()];
        assert_eq!(to_value(&texts), Value::Array(expected.into()));
        let mixed = list(&[1.into(), "a".into(), f64::NAN.into(), list(&[])]);
        assert_eq!(to_value(&mixed), Value::from(r#"[1,"a","NaN",[]]"#));
        assert_eq!(to_value(&list(&[])), Value::from("[]"));
    }

    #[test]
    fn maps_are_json_in_the_order_of_their_keys() {
        let inner = map(&[("c", list(&[1.into(), 2.into()]))]);
        let outer = map(&[("b", inner), ("a", 1.into()), ("é\"", "\n".into())]);
        let expected = r#"{"a":1,"b":{"c":[1,2]},"é\"":"\n"}"#;
        assert_eq!(to_value(&outer), Value::from(expected));
    }

    #[test]
    fn bytes_are_base64() {
        let bytes = AnyValue::Bytes(Box::new(vec![0, 255, 16]));
        assert_eq!(to_value(&bytes), Value::from("AP8Q"));
        assert_eq!(
            to_value(&map(&[("b", bytes)])),
            Value::from(r#"{"b":"AP8Q"}"#)
        );
    }
}
