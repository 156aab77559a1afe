use std::sync::atomic::Ordering;

use crate::store::{ItemKind, Store};

/// Counters of items since the portal's start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// The number of accepted items.
    pub received: u64,
    /// The number of rejected items and bodies.
    pub refused: u64,
    /// The number of requests that must be retried later.
    pub throttled: u64,
    /// The number of accepted items that were removed to stay within the limits, oldest first.
    pub dropped: u64,
    /// The number of stored items.
    pub items: usize,
    /// The size of the database, in bytes.
    pub bytes: usize,
    pub(crate) by_kind: [usize; ItemKind::ALL.len()],
}

impl Statistics {
    /// The number of stored items of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: ItemKind) -> usize {
        let index = ItemKind::ALL.iter().position(|known| *known == kind);
        index
            .and_then(|index| self.by_kind.get(index))
            .copied()
            .unwrap_or(0)
    }
}

impl Store {
    pub(crate) fn statistics(&self) -> Statistics {
        let counters = self.counters();
        let held = |count: i64| usize::try_from(count).unwrap_or(0);
        Statistics {
            received: counters.received.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            throttled: counters.throttled.load(Ordering::Relaxed),
            dropped: counters.dropped.load(Ordering::Relaxed),
            items: held(counters.items.load(Ordering::Relaxed)),
            bytes: held(counters.bytes.load(Ordering::Relaxed)),
            by_kind: ItemKind::ALL.map(|kind| held(counters.kind(kind).held)),
        }
    }
}
