use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits;
use crate::limits::truncate;

/// Custom dimensions: texts by key.
pub type Properties<'a> = Map<'a, Cow<'a, str>>;

/// Custom measurements: numbers by key.
pub type Measurements<'a> = Map<'a, f64>;

/// Context tags: texts by key; the keys are in [`tags`](crate::tags).
pub type Tags<'a> = Map<'a, Cow<'a, str>>;

/// A JSON object as a list of pairs, in the order in which they were added.
///
/// An item has few keys, and they are written far more often than looked up. A list costs one allocation, or none when
/// its memory is reused.
#[derive(Clone, PartialEq)]
pub struct Map<'a, V> {
    pairs: Vec<(Cow<'a, str>, V)>,
}

impl<'a, V> Map<'a, V> {
    /// Makes an empty map, without allocating.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// Makes an empty map with room for `capacity` pairs.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            pairs: Vec::with_capacity(capacity),
        }
    }

    /// Adds a pair without checking whether the key is present.
    ///
    /// The caller ensures that keys are unique: JSON with a repeated key is ambiguous.
    pub fn push(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<V>) {
        self.pairs.push((key.into(), value.into()));
    }

    /// Adds a pair, or replaces the value of a key that is present.
    pub fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<V>) {
        let key = key.into();
        match self.pairs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value.into(),
            None => self.pairs.push((key, value.into())),
        }
    }

    /// Reserves memory for `additional` more pairs.
    pub fn reserve(&mut self, additional: usize) {
        self.pairs.reserve(additional);
    }

    /// Removes a key and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let index = self.pairs.iter().position(|(known, _)| known == key)?;
        Some(self.pairs.remove(index).1)
    }

    /// Keeps only the pairs for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut V) -> bool) {
        self.pairs.retain_mut(|(key, value)| keep(key, value));
    }

    /// Empties the map and keeps its memory.
    pub fn clear(&mut self) {
        self.pairs.clear();
    }

    /// Shortens the map to its first `length` pairs.
    pub fn truncate(&mut self, length: usize) {
        self.pairs.truncate(length);
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&V> {
        self.pairs
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    /// All pairs, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &V)> {
        self.pairs.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// The number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the map has no pairs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl<V> Map<'_, V> {
    /// Copies borrowed keys and converts every value with `own`.
    pub(super) fn into_owned_with<W>(self, own: impl Fn(V) -> W) -> Map<'static, W> {
        let pairs = self.pairs.into_iter();
        Map {
            pairs: pairs
                .map(|(key, value)| (Cow::Owned(key.into_owned()), own(value)))
                .collect(),
        }
    }
}

impl Properties<'_> {
    /// Empties the map and keeps its memory, for texts with another lifetime.
    #[doc(hidden)]
    #[must_use]
    pub fn into_empty<'b>(mut self) -> Properties<'b> {
        self.pairs.clear();
        // A list collected from one of the same layout reuses its memory.
        let pairs = self.pairs.into_iter().map_while(|_| None).collect();
        Properties { pairs }
    }

    pub(super) fn apply_property_limits(&mut self) {
        self.retain(|key, value| {
            truncate(value, limits::property_value(key));
            is_acceptable_key(key)
        });
    }
}

impl Measurements<'_> {
    pub(super) fn apply_measurement_limits(&mut self) {
        self.retain(|key, value| value.is_finite() && is_acceptable_key(key));
    }
}

fn is_acceptable_key(key: &str) -> bool {
    key.len() <= limits::KEY || key.chars().count() <= limits::KEY
}

impl<V> Default for Map<'_, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, V> FromIterator<(Cow<'a, str>, V)> for Map<'a, V> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, V)>>(pairs: I) -> Self {
        Self {
            pairs: pairs.into_iter().collect(),
        }
    }
}

impl<'a, V> Extend<(Cow<'a, str>, V)> for Map<'a, V> {
    fn extend<I: IntoIterator<Item = (Cow<'a, str>, V)>>(&mut self, pairs: I) {
        self.pairs.extend(pairs);
    }
}

impl<V: fmt::Debug> fmt::Debug for Map<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V: Serialize> Serialize for Map<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.pairs.len()))?;
        for (key, value) in &self.pairs {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A value that real clients write in more than one JSON type.
pub(super) trait FromJson: Sized {
    /// `None` leaves the pair out.
    fn from_json(value: serde_json::Value) -> Option<Self>;
}

impl FromJson for Cow<'_, str> {
    fn from_json(value: serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(Cow::Owned(text)),
            other => Some(Cow::Owned(other.to_string())),
        }
    }
}

impl FromJson for f64 {
    fn from_json(value: serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Number(number) => number.as_f64(),
            serde_json::Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

impl<'de, V: FromJson> Deserialize<'de> for Map<'_, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(MapVisitor(PhantomData))
            .map(|pairs| Self { pairs })
    }
}

struct MapVisitor<V>(PhantomData<V>);

impl<'de, V: FromJson> Visitor<'de> for MapVisitor<V> {
    type Value = Vec<(Cow<'static, str>, V)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::with_capacity(access.size_hint().unwrap_or(0).min(64));
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(JsonSeed)?;
            if let Some(value) = V::from_json(value) {
                pairs.push((Cow::Owned(key), value));
            }
        }
        Ok(pairs)
    }
}

struct JsonSeed;

impl<'de> DeserializeSeed<'de> for JsonSeed {
    type Value = serde_json::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        serde_json::Value::deserialize(deserializer)
    }
}
