//! Malformed requests, responses, bodies and files, made of bytes, and given to the HTTP layers and to the portal.
//!
//! The functions accept any bytes, panic only if a layer panics, and report the layer's errors. Tests call them
//! with 100,000 generated inputs, and fuzz targets with any input.

mod head;
mod layers;
mod portal;
mod propagation;

pub use self::layers::{request_head, response_head};
pub use self::portal::PortalReaders;
pub use self::propagation::ids;

/// Bytes that a generator reads as decisions. After the last byte, every decision is the first choice.
#[derive(Debug, Clone)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Reads these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// A number below `end`, which is at most 256.
    fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end.max(1)
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let index = self.below(choices.len());
        choices.get(index).copied()
    }

    /// Up to 31 bytes, unchanged.
    fn raw(&mut self) -> &'a [u8] {
        let length = (self.byte() % 32) as usize;
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// The inputs of a seed, which are always the same.
#[derive(Debug)]
pub struct Inputs {
    state: u64,
}

impl Inputs {
    /// Starts with a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed.max(1) }
    }

    /// Marsaglia's xorshift.
    fn number(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

impl Iterator for Inputs {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let words = self.number() % 16 + 1;
        let bytes = (0..words).flat_map(|_| self.number().to_le_bytes());
        Some(bytes.collect())
    }
}
