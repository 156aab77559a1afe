use std::fmt;

use bumpalo::Bump;

/// Memory for the texts that a mapping composes, freed all at once.
///
/// One arena serves one batch of items after another: [`reset`](Self::reset) keeps its memory.
#[derive(Debug, Default)]
pub struct Arena(Bump);

impl Arena {
    /// Makes an empty arena, without allocating.
    #[must_use]
    pub fn new() -> Self {
        Self(Bump::new())
    }

    /// Frees every text, and keeps the memory for the next batch.
    pub fn reset(&mut self) {
        self.0.reset();
    }

    /// Copies a text into the arena.
    pub(super) fn copy(&self, text: &str) -> &str {
        self.0.alloc_str(text)
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
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = self.string(2 * N);
        for byte in bytes {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text.into_bump_str()
    }

    /// Collects things that need no destructor.
    pub(super) fn list<T: Copy>(&self, items: impl ExactSizeIterator<Item = T>) -> &[T] {
        self.0.alloc_slice_fill_iter(items)
    }

    /// Starts a text that grows in the arena.
    pub(super) fn string(&self, capacity: usize) -> bumpalo::collections::String<'_> {
        bumpalo::collections::String::with_capacity_in(capacity, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_composed() {
        let arena = Arena::new();
        assert_eq!(arena.concat(&["a", "", "世"]), "a世");
        assert_eq!(arena.hex([0x00, 0xf0, 0x67]), "00f067");
        assert_eq!(arena.format(format_args!("{}-{}", 1, 2)), "1-2");
    }
}
