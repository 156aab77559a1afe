use std::cell::Cell;

use opentelemetry::{KeyValue, Value};

use crate::mapping::Arena;
use crate::mapping::keys::Key;
use crate::mapping::text;

/// The attributes of one span or event, with the [`Key`] of each known one. It tracks which attributes became a field.
///
/// The last value of a repeated key wins. An empty text or an array is visible to no rule: it becomes a custom
/// dimension only.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    all: &'a [KeyValue],
    keys: &'a [Option<Key>],
    known: [Option<&'a Value>; Key::COUNT],
    used: Cell<u128>,
    arena: &'a Arena,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(all: &'a [KeyValue], arena: &'a Arena) -> Self {
        let keys = arena.list(all.iter().map(|attribute| Key::of(attribute.key.as_str())));
        let mut known = [None; Key::COUNT];
        for (key, attribute) in keys.iter().zip(all) {
            if let Some(key) = key {
                known[*key as usize] = Some(&attribute.value);
            }
        }
        Self {
            all,
            keys,
            known,
            used: Cell::new(0),
            arena,
        }
    }

    pub(super) fn arena(&self) -> &'a Arena {
        self.arena
    }

    /// All attributes in order, each with its key if it is a known one.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (Option<Key>, &'a KeyValue)> {
        self.keys.iter().copied().zip(self.all)
    }

    /// The value of a key, of any type.
    pub(super) fn value(&self, key: Key) -> Option<&'a Value> {
        self.known.get(key as usize).copied().flatten()
    }

    /// The value of a key as text, without marking it as used.
    pub(super) fn peek(&self, key: Key) -> Option<&'a str> {
        text::of_scalar(self.value(key)?, self.arena)
    }

    /// The first of `keys` that has a value, and the value, without marking it as used.
    pub(super) fn peek_first(&self, keys: &[Key]) -> Option<(Key, &'a str)> {
        keys.iter()
            .find_map(|key| self.peek(*key).map(|text| (*key, text)))
    }

    /// The value of a key as text, for a field; marks it as used.
    pub(super) fn take(&self, key: Key) -> Option<&'a str> {
        self.take_first(&[key])
    }

    /// The value of the first of `keys` that has one, for a field; marks it as used.
    pub(super) fn take_first(&self, keys: &[Key]) -> Option<&'a str> {
        let (key, text) = self.peek_first(keys)?;
        self.mark_used(key);
        Some(text)
    }

    /// Marks an attribute as used by a field, which keeps it out of the custom dimensions.
    pub(super) fn mark_used(&self, key: Key) {
        self.used.set(self.used.get() | (1 << key as u8));
    }

    pub(super) fn is_used(&self, key: Key) -> bool {
        self.used.get() & (1 << key as u8) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_key_wins() {
        let all = [
            KeyValue::new("db.system", "mysql"),
            KeyValue::new("db.system", "redis"),
        ];
        let arena = Arena::new();
        let attributes = Attributes::new(&all, &arena);
        assert_eq!(attributes.peek(Key::DbSystem), Some("redis"));
    }

    #[test]
    fn only_taken_attributes_are_marked_as_used() {
        let all = [
            KeyValue::new("db.system", "mysql"),
            KeyValue::new("db.system.name", ""),
            KeyValue::new("server.port", 8080),
        ];
        let arena = Arena::new();
        let attributes = Attributes::new(&all, &arena);
        assert_eq!(attributes.peek(Key::ServerPort), Some("8080"));
        assert_eq!(
            attributes.take_first(&[Key::DbSystemName, Key::DbSystem]),
            Some("mysql")
        );
        assert!(attributes.is_used(Key::DbSystem));
        assert!(!attributes.is_used(Key::DbSystemName));
        assert!(!attributes.is_used(Key::ServerPort));
    }
}
