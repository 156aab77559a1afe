use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::item::ItemKind;

/// Level 2 of zlib-rs: measured a third smaller than level 1 for half a microsecond per item more;
/// higher levels cost more than they save.
const LEVEL: Compression = Compression::new(2);

/// Items on their way: newline-delimited JSON, compressed.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Batches are numbered as they are made; parts of a batch keep its number.
    pub(super) number: u64,
    /// What each line is.
    pub(super) kinds: Vec<ItemKind>,
    pub(crate) body: Bytes,
}

impl Batch {
    /// Compresses `lines`, one for each of `kinds`.
    pub(super) fn compress(number: u64, kinds: &[ItemKind], lines: &[u8]) -> std::io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 8), LEVEL);
        encoder.write_all(lines)?;
        Ok(Self {
            number,
            kinds: kinds.to_vec(),
            body: encoder.finish()?.into(),
        })
    }

    /// How many items it holds.
    pub(super) fn items(&self) -> usize {
        self.kinds.len()
    }

    /// What the items of these numbers are.
    pub(super) fn kinds_of(&self, numbers: &[usize]) -> Vec<ItemKind> {
        let kinds = numbers.iter().map(|number| self.kinds.get(*number));
        kinds.flatten().copied().collect()
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
        Self::compress(self.number, &self.kinds_of(keep), &lines)
    }

    /// The first and the second half of the items.
    pub(super) fn halves(&self) -> std::io::Result<[Self; 2]> {
        let text = self.decompress()?;
        let (first_kinds, second_kinds) = self.kinds.split_at(self.items() / 2);
        let first_lines = split_lines(&text).take(first_kinds.len());
        let (first, second) = text.split_at(first_lines.map(<[u8]>::len).sum());
        Ok([
            Self::compress(self.number, first_kinds, first)?,
            Self::compress(self.number, second_kinds, second)?,
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
    use crate::item::TelemetryType;

    fn text(batch: &Batch) -> String {
        String::from_utf8(batch.decompress().unwrap()).unwrap()
    }

    const KINDS: [TelemetryType; 5] = [
        TelemetryType::Request,
        TelemetryType::Dependency,
        TelemetryType::Trace,
        TelemetryType::Exception,
        TelemetryType::CustomMetric,
    ];

    fn batch() -> Batch {
        Batch::compress(7, &KINDS.map(ItemKind::from), b"a\nbb\nccc\ndddd\neeeee\n").unwrap()
    }

    fn types(batch: &Batch) -> Vec<TelemetryType> {
        let types = batch.kinds.iter().map(|kind| kind.telemetry_type);
        types.collect()
    }

    #[test]
    fn chosen_items_keep_their_order_their_kinds_and_the_number() {
        let chosen = batch().only(&[1, 3, 4]).unwrap();
        assert_eq!(chosen.number, 7);
        assert_eq!(types(&chosen), [KINDS[1], KINDS[3], KINDS[4]]);
        assert_eq!(text(&chosen), "bb\ndddd\neeeee\n");
    }

    #[test]
    fn halves_hold_every_item_once() {
        let [first, second] = batch().halves().unwrap();
        assert_eq!(
            (types(&first), text(&first).as_str()),
            (KINDS[..2].to_vec(), "a\nbb\n")
        );
        assert_eq!(
            (types(&second), text(&second).as_str()),
            (KINDS[2..].to_vec(), "ccc\ndddd\neeeee\n")
        );
    }
}
