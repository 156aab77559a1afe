use std::collections::VecDeque;

use crate::item::ItemKind;
use crate::transmission::batch::Batch;

/// Most compressed bytes that wait to be sent or answered, 32 MiB: some hundred thousand items.
const LIMIT: usize = 32 << 20;

/// Batches that wait to be sent, or sent again, in memory.
///
/// It counts what is under way too, so that a batch which comes back always finds its room. While it has
/// no room, items wait in the queue, which counts what it drops.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Batch>,
    bytes_waiting: usize,
    bytes_under_way: usize,
}

impl Outbox {
    pub(super) fn has_room(&self) -> bool {
        self.bytes_waiting + self.bytes_under_way < LIMIT
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds a new batch behind the others.
    pub(super) fn add(&mut self, batch: Batch) {
        self.bytes_waiting += batch.body.len();
        self.waiting.push_back(batch);
    }

    /// Takes the first batch to send it; [`answered`](Self::answered) must follow.
    pub(super) fn send(&mut self) -> Option<Batch> {
        let batch = self.waiting.pop_front()?;
        self.bytes_waiting -= batch.body.len();
        self.bytes_under_way += batch.body.len();
        Some(batch)
    }

    /// Ends what [`send`](Self::send) began.
    pub(super) fn answered(&mut self, batch: &Batch) {
        self.bytes_under_way -= batch.body.len();
    }

    /// Puts a batch before the others, to be sent again.
    pub(super) fn put_back(&mut self, batch: Batch) {
        self.bytes_waiting += batch.body.len();
        self.waiting.push_front(batch);
    }

    /// The number of the oldest batch that waits.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.waiting.iter().map(|batch| batch.number).min()
    }

    /// What waits.
    pub(super) fn kinds(&self) -> impl Iterator<Item = ItemKind> {
        self.waiting
            .iter()
            .flat_map(|batch| batch.kinds.iter().copied())
    }

    /// How many items wait.
    pub(super) fn items(&self) -> usize {
        self.waiting.iter().map(Batch::items).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(number: u64, bytes: usize) -> Batch {
        Batch {
            number,
            kinds: vec![crate::item::TelemetryType::Request.into()],
            body: vec![0; bytes].into(),
        }
    }

    #[test]
    fn what_comes_back_is_sent_before_the_others() {
        let mut outbox = Outbox::default();
        outbox.add(batch(1, 10));
        outbox.add(batch(2, 10));
        let first = outbox.send().unwrap();
        outbox.answered(&first);
        outbox.put_back(first);
        assert_eq!(outbox.oldest(), Some(1));
        assert_eq!(outbox.send().unwrap().number, 1);
    }

    #[test]
    fn what_is_under_way_keeps_its_room() {
        let mut outbox = Outbox::default();
        outbox.add(batch(1, LIMIT));
        assert!(!outbox.has_room());
        let sent = outbox.send().unwrap();
        assert!(!outbox.has_room());
        outbox.answered(&sent);
        assert!(outbox.has_room());
    }
}
