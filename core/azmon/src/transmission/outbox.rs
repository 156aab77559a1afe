//! Batches in memory that wait to be sent, or sent again.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::transmission::batch::Batch;

/// Batches that wait.
///
/// It also counts what left it for an upload or for the disk and may come back, so that a batch which comes back
/// always finds its room. While it has no room, items wait in the queue, which counts what it drops.
#[derive(Debug)]
pub(super) struct Outbox {
    limit: usize,
    /// Those that may be sent now, in order.
    ready: VecDeque<Batch>,
    /// Those that failed, and have a pause of their own.
    paused: Vec<Batch>,
    bytes: usize,
    last_was_retry: bool,
}

impl Outbox {
    /// Makes an outbox with room for so many bytes, and for one batch more.
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

    /// Bytes of what waits, and of what may come back.
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

    /// Adds a new batch behind the others.
    pub(super) fn add(&mut self, batch: Batch) {
        self.bytes += batch.size();
        self.ready.push_back(batch);
    }

    /// Keeps room for a batch that is about to come, from the disk or in parts.
    pub(super) fn reserve(&mut self, batch: &Batch) {
        self.bytes += batch.size();
    }

    /// Takes a batch that has a pause, to store it.
    pub(super) fn take_paused(&mut self) -> Option<Batch> {
        self.paused.pop()
    }

    /// Takes a batch; [`gone`](Self::gone) or a way back must follow.
    ///
    /// New batches and those that failed before take turns, so that none keeps the others waiting. A
    /// probe is the batch that failed least, since its failure says most.
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

    /// Takes the oldest batch that waits, whatever it waits for, to store it.
    pub(super) fn take_oldest(&mut self) -> Option<Batch> {
        self.paused.pop().or_else(|| self.ready.pop_front())
    }

    /// Forgets the room of a batch that does not come back.
    pub(super) fn gone(&mut self, size: usize) {
        debug_assert!(self.bytes >= size, "a batch is gone twice");
        self.bytes = self.bytes.saturating_sub(size);
    }

    /// Puts a batch before the others, to be sent at once.
    pub(super) fn put_front(&mut self, batch: Batch) {
        self.ready.push_front(batch);
    }

    /// Puts a batch back: behind the others, or aside if it has a pause.
    pub(super) fn put_back(&mut self, batch: Batch) {
        match batch.not_before {
            Some(_) => self.paused.push(batch),
            None => self.ready.push_back(batch),
        }
    }

    /// Lets every batch be tried at once.
    pub(super) fn end_pauses(&mut self) {
        let released = self.paused.drain(..).map(|batch| Batch {
            not_before: None,
            ..batch
        });
        self.ready.extend(released);
    }

    /// When the next pause of a batch ends.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.paused
            .iter()
            .filter_map(|batch| batch.not_before)
            .min()
    }

    /// Takes the batches that were made before `oldest`.
    pub(super) fn take_expired(&mut self, oldest: Instant) -> Vec<Batch> {
        // Only what failed gets old; the rest leaves within one round of uploads.
        let expired = |batch: &mut Batch| batch.made < oldest;
        self.paused.extract_if(.., expired).collect()
    }

    /// The numbers of the batches that may be sent now.
    pub(super) fn ready(&self) -> impl Iterator<Item = u64> {
        self.ready.iter().map(|batch| batch.number)
    }

    /// The numbers of the batches that have a pause.
    pub(super) fn paused(&self) -> impl Iterator<Item = u64> {
        self.paused.iter().map(|batch| batch.number)
    }

    /// How many items wait.
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

    /// Batches 1 to 3 wait; 7 and 8 failed once and five times.
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
    fn what_is_under_way_keeps_its_room() {
        let mut outbox = Outbox::new(LIMIT);
        outbox.add(batch(1, LIMIT));
        let sent = outbox.take(Instant::now(), false).unwrap();
        assert!(!outbox.has_room());
        outbox.gone(sent.size());
        assert!(outbox.has_room());
    }
}
