use std::hash::Hasher;

const FACTOR: u64 = 0x51_7c_c1_b7_27_22_0a_95;

/// FxHash of short texts, eight bytes at a time. It does not withstand texts that are made to collide: use
/// it where these cost little.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = add(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    add(hash, u64::from_le_bytes(last))
}

fn add(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR)
}

/// [`hash`] for maps.
#[derive(Debug, Default)]
pub(super) struct TextHasher(u64);

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = add(self.0, hash(bytes));
    }

    /// The mark at the end of a text, which its length makes needless.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}
