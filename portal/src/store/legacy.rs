//! What the pages made on the server ask; the pages in the browser ask the API.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::store::{Item, ItemFilter, ItemKind, Order, Store};

/// Which items are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// Only those of this kind.
    pub(crate) kind: Option<ItemKind>,
    /// Only those of the operation with this id.
    pub(crate) operation: Option<String>,
    /// The most items to find.
    pub(crate) limit: usize,
}

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
        index.and_then(|index| self.by_kind.get(index)).copied().unwrap_or(0)
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

    /// The items that match, the one that arrived last first. What cannot be read is logged, and missing.
    pub(crate) fn newest(&self, query: &Query) -> Vec<Arc<Item>> {
        let filter = ItemFilter {
            kinds: query.kind.into_iter().collect(),
            operation: query.operation.clone(),
            ..ItemFilter::default()
        };
        let mut items = Vec::new();
        let read = self.read_now(|reader| {
            reader.matching(&filter, Order::LastArrived, &mut |item, _| {
                if items.len() == query.limit {
                    return ControlFlow::Break(());
                }
                items.push(Arc::new(item));
                ControlFlow::Continue(())
            })
        });
        if let Err(error) = read {
            tracing::error!(%error, "items could not be read");
        }
        items.sort_by_key(|item| std::cmp::Reverse(item.id()));
        items
    }

    /// The item with this id, if it is held still.
    pub(crate) fn find(&self, id: u64) -> Option<Arc<Item>> {
        let id = i64::try_from(id).ok()?;
        let found: rusqlite::Result<_> = self.read_now(|reader| reader.item(id));
        found.ok().flatten().map(Arc::new)
    }
}
