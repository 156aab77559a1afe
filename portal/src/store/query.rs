use crate::store::{Item, ItemKind};

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

impl Query {
    pub(crate) fn matches(&self, item: &Item) -> bool {
        self.kind.is_none_or(|kind| item.kind() == kind)
            && (self.operation.is_none() || item.operation_id() == self.operation.as_deref())
    }
}

/// How many items the portal has seen since it was started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Items that were accepted.
    pub received: u64,
    /// Items and bodies that were refused.
    pub refused: u64,
    /// Accepted items that were dropped since, the oldest first, to stay within the limits.
    pub dropped: u64,
    /// Items that are held now.
    pub items: usize,
    /// About how much memory they take, in bytes.
    pub bytes: usize,
    pub(crate) by_kind: [usize; ItemKind::ALL.len()],
}

impl Statistics {
    /// How many items of a kind are held now.
    #[must_use]
    pub fn of_kind(&self, kind: ItemKind) -> usize {
        ItemKind::ALL
            .iter()
            .zip(self.by_kind)
            .find(|(known, _)| **known == kind)
            .map_or(0, |(_, count)| count)
    }

    pub(crate) fn count(&mut self, kind: ItemKind) -> Option<&mut usize> {
        let index = ItemKind::ALL.iter().position(|known| *known == kind)?;
        self.by_kind.get_mut(index)
    }
}
