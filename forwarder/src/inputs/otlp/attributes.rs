//! Converts OTLP values to values of OpenTelemetry's API. Other kinds of values become JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry::{Array, Key, StringValue, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::Value as Json;

/// Converts all attributes. A missing value becomes an empty text.
pub(super) fn to_attributes(attributes: Vec<KeyValue>) -> Vec<opentelemetry::KeyValue> {
    attributes
        .into_iter()
        .map(|KeyValue { key, value, .. }| {
            let value = value.and_then(to_value);
            let value = value.unwrap_or_else(|| Value::from(""));
            opentelemetry::KeyValue::new(Key::from(key), value)
        })
        .collect()
}

/// Converts one value; `None` for an empty one.
pub(super) fn to_value(any: AnyValue) -> Option<Value> {
    Some(match any.value? {
        Any::StringValue(text) => Value::String(text.into()),
        Any::BoolValue(value) => Value::Bool(value),
        Any::IntValue(number) => Value::I64(number),
        Any::DoubleValue(number) => Value::F64(number),
        Any::BytesValue(bytes) => Value::String(STANDARD.encode(bytes).into()),
        Any::ArrayValue(array) => to_array(&array.values).map_or_else(
            || Value::String(list(&array.values).to_string().into()),
            Value::Array,
        ),
        other => Value::String(json(&other).to_string().into()),
    })
}

/// The value as text, for resource attributes.
pub(super) fn to_text(any: &AnyValue) -> String {
    match &any.value {
        None => String::new(),
        Some(Any::StringValue(text)) => text.clone(),
        Some(other) => match json(other) {
            Json::String(text) => text,
            json => json.to_string(),
        },
    }
}

/// Pairs of texts.
pub(super) fn to_texts(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let text = |value: &Option<AnyValue>| value.as_ref().map(to_text).unwrap_or_default();
    attributes
        .iter()
        .map(|attribute| (attribute.key.clone(), text(&attribute.value)))
        .collect()
}

/// Converts an array whose values have one kind.
fn to_array(values: &[AnyValue]) -> Option<Array> {
    fn all<T>(values: &[AnyValue], one: impl Fn(&Any) -> Option<T>) -> Option<Vec<T>> {
        let values = values.iter();
        values
            .map(|value| value.value.as_ref().and_then(&one))
            .collect()
    }
    Some(match values.first()?.value.as_ref()? {
        Any::StringValue(_) => Array::String(all(values, |value| match value {
            Any::StringValue(text) => Some(StringValue::from(text.clone())),
            _ => None,
        })?),
        Any::BoolValue(_) => Array::Bool(all(values, |value| match value {
            Any::BoolValue(value) => Some(*value),
            _ => None,
        })?),
        Any::IntValue(_) => Array::I64(all(values, |value| match value {
            Any::IntValue(number) => Some(*number),
            _ => None,
        })?),
        Any::DoubleValue(_) => Array::F64(all(values, |value| match value {
            Any::DoubleValue(number) => Some(*number),
            _ => None,
        })?),
        _ => return None,
    })
}

fn list(values: &[AnyValue]) -> Json {
    let value = |value: &AnyValue| value.value.as_ref().map_or(Json::Null, json);
    Json::Array(values.iter().map(value).collect())
}

fn json(any: &Any) -> Json {
    match any {
        Any::StringValue(text) => Json::from(text.as_str()),
        Any::BoolValue(value) => Json::from(*value),
        Any::IntValue(number) => Json::from(*number),
        Any::DoubleValue(number) => serde_json::Number::from_f64(*number)
            .map_or_else(|| Json::from(special(*number)), Json::Number),
        Any::BytesValue(bytes) => Json::from(STANDARD.encode(bytes)),
        Any::ArrayValue(array) => list(&array.values),
        Any::KvlistValue(fields) => {
            let fields = fields.values.iter().map(|field| {
                let value = field.value.as_ref().and_then(|value| value.value.as_ref());
                (field.key.clone(), value.map_or(Json::Null, json))
            });
            Json::Object(fields.collect())
        }
        // An index into a string table, which only profiles have.
        other @ Any::StringValueStrindex(_) => Json::from(format!("{other:?}")),
    }
}

/// OTLP's texts for the numbers that JSON lacks.
fn special(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};

    use super::*;

    fn any(value: Any) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn array(values: Vec<Any>) -> AnyValue {
        let values = values.into_iter().map(any).collect();
        any(Any::ArrayValue(ArrayValue { values }))
    }

    #[test]
    fn scalars_keep_their_kind() {
        for (value, expected) in [
            (Any::StringValue("世".into()), Value::from("世")),
            (Any::BoolValue(true), Value::Bool(true)),
            (Any::IntValue(i64::MIN), Value::I64(i64::MIN)),
            (Any::DoubleValue(0.5), Value::F64(0.5)),
            (Any::BytesValue(vec![0, 255, 16]), Value::from("AP8Q")),
        ] {
            assert_eq!(to_value(any(value)), Some(expected));
        }
        assert_eq!(to_value(AnyValue { value: None }), None);
    }

    #[test]
    fn lists_of_one_kind_are_arrays_and_mixed_ones_json() {
        let ones = array(vec![Any::IntValue(1), Any::IntValue(2)]);
        assert_eq!(to_value(ones), Some(Value::Array(vec![1, 2].into())));
        let mixed = array(vec![
            Any::IntValue(1),
            Any::StringValue("a".into()),
            Any::DoubleValue(f64::NAN),
        ]);
        assert_eq!(to_value(mixed), Some(Value::from(r#"[1,"a","NaN"]"#)));
        assert_eq!(to_value(array(Vec::new())), Some(Value::from("[]")));
    }

    #[test]
    fn maps_are_json() {
        let field = KeyValue {
            key: "a".to_owned(),
            value: Some(array(vec![Any::BoolValue(false)])),
            ..KeyValue::default()
        };
        let map = any(Any::KvlistValue(KeyValueList {
            values: vec![field],
        }));
        assert_eq!(to_text(&map), r#"{"a":[false]}"#);
        assert_eq!(to_value(map), Some(Value::from(r#"{"a":[false]}"#)));
    }
}
