const FACTOR: u64 = 0x51_7c_c1_b7_27_22_0a_95;

/// FxHash of short texts, eight bytes at a time. It does not resist deliberate collisions: use it only where they are
/// cheap.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    for word in bytes.as_chunks::<8>().0 {
        hash = add(hash, u64::from_le_bytes(*word));
    }
    add(hash, last_word(bytes))
}

/// The last eight bytes, which may overlap the previous word; all bytes if there are fewer.
fn last_word(bytes: &[u8]) -> u64 {
    if let Some(last) = bytes.last_chunk() {
        return u64::from_le_bytes(*last);
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => bytes
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

fn add(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR)
}

/// The hash of one text.
#[must_use]
pub fn text_hash(text: &str) -> u64 {
    hash(text.as_bytes())
}

/// Whether two texts are equal. Faster than `==` if both are usually the same allocation.
pub(crate) fn ptr_or_text_eq(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}

/// The hash of several texts.
#[derive(Debug, Default)]
pub(crate) struct TextHasher(u64);

impl TextHasher {
    pub(crate) fn write(&mut self, text: &str) {
        self.0 = add(self.0, hash(text.as_bytes()));
    }

    pub(crate) fn finish(self) -> u64 {
        self.0.rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_byte_of_a_text_counts_and_so_does_its_length() {
        let mut seen = HashSet::new();
        let text = [b'a'; 40];
        for length in 0..text.len() {
            assert!(seen.insert(hash(&text[..length])), "{length}");
            for changed in 0..length {
                let mut text = text;
                text[changed] = b'b';
                assert!(seen.insert(hash(&text[..length])), "{changed} of {length}");
            }
        }
    }
}
