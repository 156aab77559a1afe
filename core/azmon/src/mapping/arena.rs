use std::cell::RefCell;
use std::fmt;

use arrayvec::ArrayVec;
use bumpalo::Bump;

use crate::envelope::{Envelope, Properties};
use crate::json::hex_digits;

/// Number of lists that are kept for later envelopes: the tags and the properties of two.
const KEPT_LISTS: usize = 4;

/// Memory of a mapping: its composed texts, freed all at once, and the lists of its envelopes.
///
/// An arena serves many items and then allocates nothing: [`reset`](Self::reset) keeps the memory of the texts, and
/// [`recycle`](Self::recycle) the memory of the lists.
#[derive(Debug, Default)]
pub struct Arena {
    texts: Bump,
    lists: RefCell<ArrayVec<Properties<'static>, KEPT_LISTS>>,
}

impl Arena {
    /// Makes an empty arena, without allocating.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Frees all texts, and keeps their memory for the next item.
    pub fn reset(&mut self) {
        self.texts.reset();
    }

    /// Keeps the lists of a finished envelope for the next one.
    pub fn recycle(&self, envelope: Envelope<'_>) {
        let Envelope { tags, mut data, .. } = envelope;
        let properties = std::mem::take(data.properties_mut());
        let mut lists = self.lists.borrow_mut();
        for list in [properties, tags] {
            // The arena may already hold enough lists.
            let _ = lists.try_push(list.into_empty());
        }
    }

    /// An empty list of tags or properties, with room for `capacity` pairs.
    pub(super) fn pairs(&self, capacity: usize) -> Properties<'_> {
        let kept = self.lists.borrow_mut().pop();
        let mut list = kept.map(Properties::into_empty).unwrap_or_default();
        list.reserve(capacity);
        list
    }

    /// Copies a text into the arena.
    pub(super) fn copy(&self, text: &str) -> &str {
        self.texts.alloc_str(text)
    }

    /// Joins texts in the arena.
    pub(super) fn concat(&self, parts: &[&str]) -> &str {
        let mut text = self.string(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            text.push_str(part);
        }
        text.into_bump_str()
    }

    /// Formats a text into the arena.
    pub(super) fn format(&self, arguments: fmt::Arguments<'_>) -> &str {
        let mut text = self.string(0);
        // A `Display` that fails leaves what it has written so far.
        let _ = fmt::write(&mut text, arguments);
        text.into_bump_str()
    }

    /// Writes bytes as lower-case hexadecimal digits.
    pub(super) fn hex<const N: usize>(&self, bytes: [u8; N]) -> &str {
        // Digits are valid UTF-8.
        let digits = hex_digits(bytes);
        let text = std::str::from_utf8(digits.as_flattened()).unwrap_or_default();
        self.texts.alloc_str(text)
    }

    /// Collects values that need no destructor.
    pub(super) fn list<T: Copy>(&self, items: impl ExactSizeIterator<Item = T>) -> &[T] {
        self.texts.alloc_slice_fill_iter(items)
    }

    /// Starts a text that grows in the arena.
    pub(super) fn string(&self, capacity: usize) -> bumpalo::collections::String<'_> {
        bumpalo::collections::String::with_capacity_in(capacity, &self.texts)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::envelope::{Data, Measurements, MessageData, SCHEMA_VERSION};

    #[test]
    fn texts_are_composed() {
        let arena = Arena::new();
        assert_eq!(arena.concat(&["a", "", "世"]), "a世");
        assert_eq!(arena.hex([0x00, 0xf0, 0x67]), "00f067");
        assert_eq!(arena.format(format_args!("{}-{}", 1, 2)), "1-2");
    }

    #[test]
    fn lists_are_reused_without_their_content() {
        let mut arena = Arena::new();
        for _ in 0..3 {
            let mut envelope = message(&arena);
            assert!(envelope.tags.is_empty() && envelope.data.properties().is_empty());
            envelope.tags.push("key", arena.copy("value"));
            envelope
                .data
                .properties_mut()
                .push("key", "value".to_owned());
            arena.recycle(envelope);
            arena.reset();
        }
    }

    fn message(arena: &Arena) -> Envelope<'_> {
        let mut envelope = Envelope::new(
            SystemTime::UNIX_EPOCH,
            Data::Message(MessageData {
                ver: SCHEMA_VERSION,
                message: "".into(),
                severity_level: None,
                properties: arena.pairs(1),
                measurements: Measurements::new(),
            }),
        );
        envelope.tags = arena.pairs(1);
        envelope
    }
}
