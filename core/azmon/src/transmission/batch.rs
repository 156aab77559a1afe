use std::io::Write;
use std::time::SystemTime;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use tokio::time::Instant;

use crate::item::ItemLabel;
use crate::storage::{self, FileName};

/// Level 2 of zlib-rs: a third smaller output than level 1, measured, for half a microsecond more per item. Higher
/// levels cost more than they save.
const LEVEL: Compression = Compression::new(2);

/// A batch of items: newline-delimited JSON, compressed.
///
/// Each batch has its own attempts, age and pause.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Batches are numbered in the order in which they are made; parts of a batch keep its number.
    pub(super) number: u64,
    /// The label of each line.
    pub(super) labels: Vec<ItemLabel>,
    pub(crate) body: Bytes,
    /// When the batch was made, or read from disk.
    pub(super) made: Instant,
    /// When its items were first encoded, possibly by another process.
    pub(super) created: SystemTime,
    /// Number of failed attempts.
    pub(super) attempts: u32,
    /// The end of the batch's own pause; other batches are sent meanwhile.
    pub(super) not_before: Option<Instant>,
    /// The circuit's number of successes when the batch last failed.
    pub(super) failed_after: Option<u64>,
    /// The file that also holds the batch.
    pub(super) file: Option<FileName>,
    /// Another process made the batch.
    pub(super) is_recovered: bool,
}

impl Batch {
    /// Compresses `lines`; each of `labels` belongs to one line.
    pub(super) fn compress(labels: &[ItemLabel], lines: &[u8]) -> std::io::Result<Self> {
        Ok(Self::new(labels.to_vec(), gzip(lines)?))
    }

    /// Makes a batch from a compressed body.
    pub(super) fn new(labels: Vec<ItemLabel>, body: Bytes) -> Self {
        Self {
            number: 0,
            labels,
            body,
            made: Instant::now(),
            created: SystemTime::now(),
            attempts: 0,
            not_before: None,
            failed_after: None,
            file: None,
            is_recovered: false,
        }
    }

    /// The number of items.
    pub(super) fn items(&self) -> usize {
        self.labels.len()
    }

    /// The memory of the batch, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.body.len() + size_of_val(self.labels.as_slice())
    }

    /// The labels of the items with these numbers.
    pub(super) fn labels_of(&self, numbers: &[usize]) -> Vec<ItemLabel> {
        let labels = numbers.iter().map(|number| self.labels.get(*number));
        labels.flatten().copied().collect()
    }

    /// A batch of the items whose numbers are in `keep`, in ascending order.
    pub(super) fn only(&self, keep: &[usize]) -> std::io::Result<Self> {
        let text = self.decompress()?;
        let mut lines = Vec::with_capacity(text.len());
        for (_, line) in split_lines(&text)
            .enumerate()
            .filter(|(number, _)| keep.binary_search(number).is_ok())
        {
            lines.extend_from_slice(line);
        }
        self.part(self.labels_of(keep), &lines)
    }

    /// The first and the second half of the items.
    pub(super) fn halves(&self) -> std::io::Result<[Self; 2]> {
        let text = self.decompress()?;
        let (first_labels, second_labels) = self.labels.split_at(self.items() / 2);
        let first_lines = split_lines(&text).take(first_labels.len());
        let (first, second) = text.split_at(first_lines.map(<[u8]>::len).sum());
        Ok([
            self.part(first_labels.to_vec(), first)?,
            self.part(second_labels.to_vec(), second)?,
        ])
    }

    /// Whether the body is complete and has one line for each label.
    pub(super) fn is_sound(&self) -> bool {
        storage::has_lines(&self.body, self.items())
    }

    /// The number, unless a file also holds the batch.
    pub(super) fn number_in_memory(&self) -> Option<u64> {
        self.file.is_none().then_some(self.number)
    }

    /// A part with the age and the attempts of the whole. It is in no file.
    fn part(&self, labels: Vec<ItemLabel>, lines: &[u8]) -> std::io::Result<Self> {
        Ok(Self {
            labels,
            body: gzip(lines)?,
            file: None,
            ..self.clone()
        })
    }

    fn decompress(&self) -> std::io::Result<Vec<u8>> {
        storage::decompress(&self.body)
    }
}

fn gzip(lines: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 8), LEVEL);
    encoder.write_all(lines)?;
    Ok(encoder.finish()?.into())
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
        let lines = b"a\nbb\nccc\ndddd\neeeee\n";
        Batch {
            number: 7,
            attempts: 3,
            ..Batch::compress(&KINDS.map(ItemLabel::from), lines).unwrap()
        }
    }

    fn types(batch: &Batch) -> Vec<TelemetryType> {
        let types = batch.labels.iter().map(|label| label.telemetry_type);
        types.collect()
    }

    #[test]
    fn chosen_items_keep_their_order_their_labels_the_number_and_the_tries() {
        let chosen = batch().only(&[1, 3, 4]).unwrap();
        assert_eq!((chosen.number, chosen.attempts), (7, 3));
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

    #[test]
    fn a_batch_that_is_cut_or_has_other_lines_is_not_sound() {
        let whole = batch();
        assert!(whole.is_sound());
        let cut = Batch {
            body: whole.body.slice(..whole.body.len() - 1),
            ..whole.clone()
        };
        assert!(!cut.is_sound());
        let labels = whole.labels[1..].to_vec();
        assert!(!Batch { labels, ..whole }.is_sound());
    }
}
