//! Values out of the JSON of an envelope, reading no more of it than they need.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::store::said;

/// An envelope. Steps of a path are members, or numbers of elements; `-1` is the last.
pub(super) struct Document<'a> {
    text: &'a str,
    /// The whole, if many values are read.
    whole: Option<Value>,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str, is_read_whole: bool) -> Self {
        Self {
            text,
            whole: is_read_whole.then(|| serde_json::from_str(text).unwrap_or_default()),
        }
    }

    /// The value at a path.
    pub(super) fn value(&self, path: &[&str]) -> Option<Cow<'_, Value>> {
        let Some(whole) = &self.whole else {
            let found = pick(self.text, path)?;
            return serde_json::from_str(found.get()).ok().map(Cow::Owned);
        };
        let found = path.iter().try_fold(whole, |value, step| match value {
            Value::Array(items) if *step == "-1" => items.last(),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        });
        found.map(Cow::Borrowed)
    }

    /// The id that groups exceptions; empty for another item.
    pub(super) fn problem_id(&self) -> String {
        serde_json::from_str(self.text)
            .map(|envelope| said::problem_id(&envelope))
            .unwrap_or_default()
    }

    /// The value at a path as text: the content of a string, or the JSON of another value; empty for a missing value.
    pub(super) fn text(&self, path: &[&str]) -> String {
        match self.value(path).as_deref() {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        }
    }

    /// The JSON at a path as it was sent, without space between its parts.
    pub(super) fn json(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        let found = pick(self.text, path)?.get();
        (found != "null").then(|| without_space(found))
    }
}

/// The text of the value at a path.
fn pick<'a>(text: &'a str, path: &[&str]) -> Option<&'a RawValue> {
    let found = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // It ends with an error as soon as the value is found: the rest is not read.
    let _ = Pick {
        path,
        found: &found,
    }
    .deserialize(&mut deserializer);
    found.get()
}

struct Pick<'p, 'de> {
    path: &'p [&'p str],
    found: &'p Cell<Option<&'de RawValue>>,
}

impl<'de> DeserializeSeed<'de> for Pick<'_, 'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
            self.found.set(Some(raw));
            return Err(D::Error::custom("found"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else {
            return Ok(());
        };
        while let Some(IsKey(is_wanted)) = access.next_key_seed(Key(step))? {
            if is_wanted {
                let inner = Pick {
                    path: rest,
                    found: self.found,
                };
                access.next_value_seed(inner)?;
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else {
            return Ok(());
        };
        if *step == "-1" {
            let mut last: Option<&'de RawValue> = None;
            while let Some(element) = access.next_element()? {
                last = Some(element);
            }
            let found = last.and_then(|last| pick(last.get(), rest));
            self.found.set(found);
            return Err(A::Error::custom("found"));
        }
        let Ok(index) = step.parse::<usize>() else {
            return Ok(());
        };
        for _ in 0..index {
            if access.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        let inner = Pick {
            path: rest,
            found: self.found,
        };
        access.next_element_seed(inner).map(drop)
    }

    // Other values have no members.
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Compares a key without keeping it.
struct Key<'p>(&'p str);

struct IsKey(bool);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = IsKey;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<IsKey, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = IsKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<IsKey, E> {
        Ok(IsKey(key == self.0))
    }
}

/// JSON without the space outside of its strings.
fn without_space(json: &str) -> Cow<'_, str> {
    if !json.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return Cow::Borrowed(json);
    }
    let (mut is_string, mut is_escaped) = (false, false);
    let kept = json.chars().filter(|character| {
        let is_kept = is_string || !character.is_ascii_whitespace();
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_string,
            '"' => is_string = !is_string,
            _ => {}
        }
        is_kept
    });
    Cow::Owned(kept.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: &str = r#"{
        "tags": {"ai.cloud.role": "shop", "n": 5, "none": null},
        "data": {"baseType": "X", "baseData": {
            "properties": {"a b": "c  d", "quote": "\"x\\", "e": 1.50}, "list": [{"x": 1}, {"x": [2, 3]}], "flag": false}}
    }"#;

    #[test]
    fn values_are_the_same_picked_and_read_whole() {
        let paths: [&[&str]; 10] = [
            &["tags", "ai.cloud.role"],
            &["tags", "n"],
            &["tags", "none"],
            &["tags", "missing"],
            &["data", "baseData", "flag"],
            &["data", "baseData", "list", "0", "x"],
            &["data", "baseData", "list", "-1", "x", "1"],
            &["data", "baseData", "list", "7"],
            &["data", "baseType", "deeper"],
            &["data", "baseData", "properties"],
        ];
        let (picked, whole) = (
            Document::new(ENVELOPE, false),
            Document::new(ENVELOPE, true),
        );
        for path in paths {
            assert_eq!(picked.value(path), whole.value(path), "{path:?}");
            assert_eq!(picked.text(path), whole.text(path), "{path:?}");
        }
        assert_eq!(picked.text(&["tags", "ai.cloud.role"]), "shop");
        assert_eq!(
            picked.text(&["data", "baseData", "list", "-1", "x", "1"]),
            "3"
        );
        assert_eq!(picked.text(&["data", "baseData", "flag"]), "false");
    }

    #[test]
    fn json_is_as_it_was_sent_without_the_space_between() {
        let document = Document::new(ENVELOPE, false);
        assert_eq!(
            document
                .json(&["data", "baseData", "properties"])
                .as_deref(),
            Some(r#"{"a b":"c  d","quote":"\"x\\","e":1.50}"#)
        );
        assert_eq!(document.json(&["tags", "none"]), None);
        assert_eq!(document.json(&["tags", "missing"]), None);
    }

    #[test]
    fn text_that_is_no_json_has_no_values() {
        for text in ["", "[", "{\"tags\"", "7"] {
            for is_whole in [false, true] {
                assert_eq!(
                    Document::new(text, is_whole).value(&["tags"]),
                    None,
                    "{text}"
                );
            }
        }
    }
}
