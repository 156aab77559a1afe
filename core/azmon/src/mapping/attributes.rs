use std::cell::Cell;

use opentelemetry::{KeyValue, Value};

use crate::mapping::Arena;
use crate::mapping::keys::Key;
use crate::mapping::text;

/// The attributes of one span or event: the known ones by [`Key`], and which of them became a field.
///
/// A key that is there twice has its last value. A value that is an empty text or an array is for the
/// custom dimensions only: no rule sees it.
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

    /// Every attribute in order, with its key if it is a known one.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (Option<Key>, &'a KeyValue)> {
        self.keys.iter().copied().zip(self.all)
    }

    /// The value of a key, whatever its type.
    pub(super) fn value(&self, key: Key) -> Option<&'a Value> {
        self.known.get(key as usize).copied().flatten()
    }

    /// The value of a key as a text, without using it.
    pub(super) fn peek(&self, key: Key) -> Option<&'a str> {
        text::of_scalar(self.value(key)?, self.arena)
    }

    /// The first of some keys that has a value, and that value, without using it.
    pub(super) fn peek_first(&self, keys: &[Key]) -> Option<(Key, &'a str)> {
        keys.iter()
            .find_map(|key| self.peek(*key).map(|text| (*key, text)))
    }

    /// The value of a key as a text, for a field.
    pub(super) fn take(&self, key: Key) -> Option<&'a str> {
        self.take_first(&[key])
    }

    /// The value of the first of some keys that has one, for a field.
    pub(super) fn take_first(&self, keys: &[Key]) -> Option<&'a str> {
        let (key, text) = self.peek_first(keys)?;
        self.mark_used(key);
        Some(text)
    }

    /// Says that a field holds what the attribute says: it is left out of the custom dimensions.
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
    fn only_what_is_taken_is_used() {
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
