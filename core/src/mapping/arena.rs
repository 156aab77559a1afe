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

    /// Formats a text into the arena.
    pub(crate) fn format(&self, arguments: fmt::Arguments<'_>) -> &str {
        let mut text = bumpalo::collections::String::new_in(&self.0);
        // A `Display` that fails leaves what it has written so far.
        let _ = fmt::write(&mut text, arguments);
        text.into_bump_str()
    }
}
