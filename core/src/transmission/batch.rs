use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Level 2 of zlib-rs: measured a third smaller than level 1 for half a microsecond per item more;
/// higher levels cost more than they save.
const LEVEL: Compression = Compression::new(2);

/// Items on their way: newline-delimited JSON, compressed.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    /// Batches are numbered as they are made; parts of a batch keep its number.
    pub(super) number: u64,
    pub(super) items: usize,
    pub(super) body: Bytes,
}

impl Batch {
    /// Compresses `lines`, which holds `items` lines.
    pub(super) fn compress(number: u64, items: usize, lines: &[u8]) -> std::io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 8), LEVEL);
        encoder.write_all(lines)?;
        Ok(Self {
            number,
            items,
            body: encoder.finish()?.into(),
        })
    }

    /// The items whose numbers `keep` holds, in ascending order.
    pub(super) fn only(&self, keep: &[usize]) -> std::io::Result<Self> {
        let text = self.decompress()?;
        let mut lines = Vec::with_capacity(text.len());
        for (_, line) in split_lines(&text)
            .enumerate()
            .filter(|(number, _)| keep.binary_search(number).is_ok())
        {
            lines.extend_from_slice(line);
        }
        Self::compress(self.number, keep.len(), &lines)
    }

    /// The first and the second half of the items.
    pub(super) fn halves(&self) -> std::io::Result<[Self; 2]> {
        let text = self.decompress()?;
        let first_items = self.items / 2;
        let middle = split_lines(&text).take(first_items).map(<[u8]>::len).sum();
        let (first, second) = text.split_at(middle);
        Ok([
            Self::compress(self.number, first_items, first)?,
            Self::compress(self.number, self.items - first_items, second)?,
        ])
    }

    fn decompress(&self) -> std::io::Result<Vec<u8>> {
        let mut text = Vec::new();
        GzDecoder::new(&*self.body).read_to_end(&mut text)?;
        Ok(text)
    }
}

fn split_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(batch: &Batch) -> String {
        String::from_utf8(batch.decompress().unwrap()).unwrap()
    }

    fn batch() -> Batch {
        Batch::compress(7, 5, b"a\nbb\nccc\ndddd\neeeee\n").unwrap()
    }

    #[test]
    fn chosen_items_keep_their_order_and_the_number() {
        let chosen = batch().only(&[1, 3, 4]).unwrap();
        assert_eq!((chosen.number, chosen.items), (7, 3));
        assert_eq!(text(&chosen), "bb\ndddd\neeeee\n");
    }

    #[test]
    fn halves_hold_every_item_once() {
        let [first, second] = batch().halves().unwrap();
        assert_eq!((first.items, text(&first).as_str()), (2, "a\nbb\n"));
        assert_eq!(
            (second.items, text(&second).as_str()),
            (3, "ccc\ndddd\neeeee\n")
        );
    }
}
