//! Tolerant reading: real clients write other JSON types than the schema has, and `null` for absent fields.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::map::FromJson;
use crate::{Map, SCHEMA_VERSION};

/// A text; a number or boolean is taken as its JSON text, `null` as empty.
pub(super) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'static, str>, D::Error> {
    optional_text(deserializer).map(Option::unwrap_or_default)
}

/// [`text`] for a field that may be absent.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'static, str>>, D::Error> {
    Value::deserialize(deserializer).map(Cow::from_json)
}

/// A number that may be absent, or be written as a text.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Value::deserialize(deserializer).map(f64::from_json)
}

/// A whole number that may be absent, or be written as a text; fractions are cut.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value
        .as_i64()
        .or_else(|| f64::from_json(value).map(|number| number as i64)))
}

/// A boolean that may be absent, or be written as a text in any case.
pub(super) fn optional_boolean<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(value) => Some(value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    })
}

/// A required boolean.
pub(super) fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    optional_boolean(deserializer)?
        .ok_or_else(|| serde::de::Error::custom("expected true or false"))
}

/// A map that may be `null`.
pub(super) fn map<'de, 'a, V: FromJson, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<'a, V>, D::Error> {
    Option::<Map<'a, V>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Default of `ver`.
pub(super) const fn schema_version() -> u8 {
    SCHEMA_VERSION
}

/// Default of `success`, as in the service's schema.
pub(super) const fn yes() -> bool {
    true
}
