//! Batches in memory that wait to be sent or retried.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::transmission::batch::Batch;

/// Waiting batches.
///
/// The outbox also reserves room for batches that left it for an upload or for the disk and may return. While it has no
/// room, items wait in the queue, which counts the items that it drops.
#[derive(Debug)]
pub(super) struct Outbox {
    limit: usize,
    /// Batches that may be sent now, in order.
    ready: VecDeque<Batch>,
    /// Failed batches with their own pause.
    paused: Vec<Batch>,
    bytes: usize,
    last_was_retry: bool,
}

impl Outbox {
    /// Makes an outbox with room for `limit` bytes and one more batch.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ready: VecDeque::new(),
            paused: Vec::new(),
            bytes: 0,
            last_was_retry: false,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.bytes < self.limit
    }

    pub(super) fn is_half_full(&self) -> bool {
        self.bytes > self.limit / 2
    }

    /// Size of the waiting batches and of those that may return, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.paused.is_empty()
    }

    /// Whether a batch may be sent at `now`.
    pub(super) fn has_due(&self, now: Instant) -> bool {
        !self.ready.is_empty() || self.paused.iter().any(|batch| is_due(batch, now))
    }

    /// Adds a new batch at the end.
    pub(super) fn add(&mut self, batch: Batch) {
        self.bytes += batch.size();
        self.ready.push_back(batch);
    }

    /// Reserves room for a batch that is about to come, from the disk or as a part.
    pub(super) fn reserve(&mut self, batch: &Batch) {
        self.bytes += batch.size();
    }

    /// Takes a batch with a pause, to store it.
    pub(super) fn take_paused(&mut self) -> Option<Batch> {
        self.paused.pop()
    }

    /// Takes a batch. [`gone`](Self::gone) or a method that returns the batch must follow.
    ///
    /// New and failed batches take turns, so that neither delays the other. The probe is the batch with the fewest
    /// failures, because its failure proves most.
    pub(super) fn take(&mut self, now: Instant, is_probe: bool) -> Option<Batch> {
        let retry = self
            .paused
            .iter()
            .enumerate()
            .filter(|(_, batch)| is_due(batch, now))
            .min_by_key(|(_, batch)| (if is_probe { batch.attempts } else { 0 }, batch.not_before))
            .map(|(place, _)| place);
        let turn = !is_probe && !self.last_was_retry;
        if let Some(place) = retry
            && (turn || self.ready.is_empty())
        {
            self.last_was_retry = true;
            return Some(self.paused.swap_remove(place));
        }
        self.last_was_retry = false;
        self.ready.pop_front()
    }

    /// Takes any waiting batch, to store it, beginning with those that have a pause.
    pub(super) fn take_oldest(&mut self) -> Option<Batch> {
        self.paused.pop().or_else(|| self.ready.pop_front())
    }

    /// Releases the room of a batch that does not return.
    pub(super) fn gone(&mut self, size: usize) {
        debug_assert!(self.bytes >= size, "a batch is gone twice");
        self.bytes = self.bytes.saturating_sub(size);
    }

    /// Returns a batch to the front, to be sent at once.
    pub(super) fn put_front(&mut self, batch: Batch) {
        self.ready.push_front(batch);
    }

    /// Returns a batch: to the end, or aside if it has a pause.
    pub(super) fn put_back(&mut self, batch: Batch) {
        match batch.not_before {
            Some(_) => self.paused.push(batch),
            None => self.ready.push_back(batch),
        }
    }

    /// Ends the pauses of all batches.
    pub(super) fn end_pauses(&mut self) {
        let released = self.paused.drain(..).map(|batch| Batch {
            not_before: None,
            ..batch
        });
        self.ready.extend(released);
    }

    /// The end of the next pause of a batch.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.paused
            .iter()
            .filter_map(|batch| batch.not_before)
            .min()
    }

    /// Takes the batches that were made before `oldest`.
    pub(super) fn take_expired(&mut self, oldest: Instant) -> Vec<Batch> {
        // Only failed batches get old; the others leave within one round of uploads.
        let expired = |batch: &mut Batch| batch.made < oldest;
        self.paused.extract_if(.., expired).collect()
    }

    /// The numbers of the batches that may be sent now and are on no disk.
    pub(super) fn ready(&self) -> impl Iterator<Item = u64> {
        self.ready.iter().filter_map(Batch::number_in_memory)
    }

    /// The numbers of the batches that have a pause and are on no disk.
    pub(super) fn paused(&self) -> impl Iterator<Item = u64> {
        self.paused.iter().filter_map(Batch::number_in_memory)
    }

    /// Number of waiting items.
    pub(super) fn items(&self) -> usize {
        let all = self.ready.iter().chain(&self.paused);
        all.map(Batch::items).sum()
    }
}

fn is_due(batch: &Batch, now: Instant) -> bool {
    batch.not_before.is_none_or(|time| time <= now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::item::TelemetryType;

    const LIMIT: usize = 1 << 20;

    fn batch(number: u64, bytes: usize) -> Batch {
        let labels = vec![TelemetryType::Request.into()];
        Batch {
            number,
            ..Batch::new(labels, vec![0; bytes].into())
        }
    }

    fn numbers(outbox: &mut Outbox, now: Instant, is_probe: bool) -> Vec<u64> {
        std::iter::from_fn(|| outbox.take(now, is_probe))
            .map(|batch| batch.number)
            .collect()
    }

    /// Batches 1 to 3 are ready; 7 and 8 have failed once and five times.
    fn outbox(now: Instant) -> Outbox {
        let mut outbox = Outbox::new(LIMIT);
        (1..=3).for_each(|number| outbox.add(batch(number, 10)));
        for (number, attempts) in [(8, 5), (7, 1)] {
            outbox.put_back(Batch {
                attempts,
                not_before: Some(now),
                ..batch(number, 10)
            });
        }
        outbox
    }

    #[test]
    fn new_batches_and_retries_take_turns() {
        let now = Instant::now();
        assert_eq!(numbers(&mut outbox(now), now, false), [8, 1, 7, 2, 3]);
    }

    #[test]
    fn a_probe_is_the_batch_that_failed_least() {
        let now = Instant::now();
        assert_eq!(numbers(&mut outbox(now), now, true), [1, 2, 3, 7, 8]);
    }

    #[test]
    fn a_batch_in_its_pause_is_passed() {
        let (now, mut outbox) = (Instant::now(), Outbox::new(LIMIT));
        let later = now + Duration::from_secs(9);
        outbox.put_back(Batch {
            not_before: Some(later),
            ..batch(1, 10)
        });
        outbox.add(batch(2, 10));
        assert_eq!(numbers(&mut outbox, now, false), [2]);
        assert!(!outbox.has_due(now));
        assert_eq!(outbox.next_retry(), Some(later));
        assert_eq!(numbers(&mut outbox, later, false), [1]);
    }

    #[test]
    fn running_uploads_keep_their_room() {
        let mut outbox = Outbox::new(LIMIT);
        outbox.add(batch(1, LIMIT));
        let sent = outbox.take(Instant::now(), false).unwrap();
        assert!(!outbox.has_room());
        outbox.gone(sent.size());
        assert!(outbox.has_room());
    }
}
