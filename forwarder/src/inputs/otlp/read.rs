//! The result of reading a message, and the rejected items.

use crate::inputs::budget::Held;
use crate::sink::{Batch, Refusal};

/// The maximum number of items in a message: the service's limit for a batch. A small message can contain many
/// items.
const MOST_ITEMS: usize = 64_000;
/// The approximate memory of a mapped item, for the budget.
const ITEM_BYTES: usize = 512;

/// Rejects items beyond the limit of a message.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) left: usize,
    pub(super) refused: usize,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            left: MOST_ITEMS,
            refused: 0,
        }
    }

    /// Truncates a list of items to the remaining room.
    pub(super) fn keep<T>(&mut self, items: &mut Vec<T>) {
        let kept = items.len().min(self.left);
        self.refused += items.len() - kept;
        self.left -= kept;
        items.truncate(kept);
    }

    /// Takes the memory of the items from the budget, and returns the number of rejected items.
    pub(super) fn close(self, held: Option<&Held>) -> Result<Rejected, Refusal> {
        if let Some(held) = held {
            held.take((MOST_ITEMS - self.left) * ITEM_BYTES)?;
        }
        let mut rejected = Rejected::default();
        if self.refused > 0 {
            rejected.add("the message has more than 64,000 items");
            rejected.count = self.refused as u64;
        }
        Ok(rejected)
    }
}

/// The items of a message.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) batches: Vec<Batch>,
    pub(super) rejected: Rejected,
}

/// The number of rejected items, and the reason for the first of them.
#[derive(Debug, Default)]
pub(super) struct Rejected {
    pub(super) count: u64,
    pub(super) reason: Option<&'static str>,
}

impl Rejected {
    pub(super) fn add(&mut self, reason: &'static str) {
        self.count += 1;
        self.reason.get_or_insert(reason);
    }
}
