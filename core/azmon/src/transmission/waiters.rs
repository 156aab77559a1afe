//! Callers that wait until batches are delivered or on disk.

use std::collections::HashSet;
use std::fmt;

use crate::error::Undelivered;
use crate::transmission::handle::DeliveryCallback;

/// Callers that wait until certain batches are settled.
#[derive(Default)]
pub(super) struct Waiters(Vec<Waiter>);

struct Waiter {
    batches: HashSet<u64>,
    dropped: usize,
    callback: DeliveryCallback,
}

/// The current location of batches. A batch that a file also holds is settled for its waiters.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// Batches that are about to be sent or stored.
    pub(super) active: HashSet<u64>,
    /// Batches that wait in memory for a retry.
    pub(super) held: HashSet<u64>,
    /// Number of items in waiting batches.
    pub(super) held_items: usize,
}

impl Waiters {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls back once all of `batches` are settled.
    pub(super) fn add(&mut self, batches: HashSet<u64>, callback: DeliveryCallback) {
        self.0.push(Waiter {
            batches,
            dropped: 0,
            callback,
        });
    }

    /// Notes dropped items of a batch.
    pub(super) fn dropped(&mut self, batch: u64, items: usize) {
        let waiters = self.0.iter_mut();
        let concerned = waiters.filter(|waiter| waiter.batches.contains(&batch));
        concerned.for_each(|waiter| waiter.dropped += items);
    }

    /// Answers the callers whose batches are all inactive.
    pub(super) fn settle(&mut self, positions: &Positions) {
        let done = |waiter: &mut Waiter| waiter.batches.is_disjoint(&positions.active);
        for waiter in self.0.extract_if(.., done) {
            (waiter.callback)(if !waiter.batches.is_disjoint(&positions.held) {
                Err(Undelivered::Held(positions.held_items))
            } else if waiter.dropped > 0 {
                Err(Undelivered::Dropped(waiter.dropped))
            } else {
                Ok(())
            });
        }
    }

    /// Answers all callers with an error.
    pub(super) fn end(&mut self, error: impl Fn() -> Undelivered) {
        self.0
            .drain(..)
            .for_each(|waiter| (waiter.callback)(Err(error())));
    }
}

impl fmt::Debug for Waiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waiters({})", self.0.len())
    }
}
