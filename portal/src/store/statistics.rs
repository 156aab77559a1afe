use std::sync::atomic::Ordering;

use crate::store::{ItemKind, Store};

/// How many items the portal has seen since it was started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Items that were accepted.
    pub received: u64,
    /// Items and bodies that were refused.
    pub refused: u64,
    /// Requests that were asked to come back later.
    pub throttled: u64,
    /// Accepted items that were removed since, the oldest first, to stay within the limits.
    pub dropped: u64,
    /// Items that are held now.
    pub items: usize,
    /// How large the database is, in bytes.
    pub bytes: usize,
    pub(crate) by_kind: [usize; ItemKind::ALL.len()],
}

impl Statistics {
    /// How many items of a kind are held now.
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
