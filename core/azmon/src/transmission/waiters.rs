use std::fmt;

use crate::error::Undelivered;
use crate::transmission::transmitter::Answer;

/// Those who wait until all batches up to a number are settled.
#[derive(Default)]
pub(super) struct Waiters(Vec<Waiter>);

struct Waiter {
    last: u64,
    dropped: usize,
    answer: Answer,
}

impl Waiters {
    pub(super) fn add(&mut self, last: u64, answer: Answer) {
        self.0.push(Waiter {
            last,
            dropped: 0,
            answer,
        });
    }

    /// Notes that items of a batch were dropped.
    pub(super) fn dropped(&mut self, batch: u64, items: usize) {
        let concerned = self.0.iter_mut().filter(|waiter| batch <= waiter.last);
        concerned.for_each(|waiter| waiter.dropped += items);
    }

    /// Answers those whose batches all come before `pending`, the oldest that is not settled.
    pub(super) fn settle(&mut self, pending: Option<u64>) {
        let settled = |waiter: &mut Waiter| pending.is_none_or(|pending| waiter.last < pending);
        for waiter in self.0.extract_if(.., settled) {
            (waiter.answer)(match waiter.dropped {
                0 => Ok(()),
                dropped => Err(Undelivered::Dropped(dropped)),
            });
        }
    }

    /// Answers everybody that `held` items have to wait.
    pub(super) fn fail(&mut self, held: usize) {
        self.end(|| Undelivered::Held(held));
    }

    /// Answers everybody with an error.
    pub(super) fn end(&mut self, error: impl Fn() -> Undelivered) {
        self.0
            .drain(..)
            .for_each(|waiter| (waiter.answer)(Err(error())));
    }
}

impl fmt::Debug for Waiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waiters({})", self.0.len())
    }
}
