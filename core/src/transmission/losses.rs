use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Why an item was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// More items waited than the queue's limits allow.
    QueueFull,
    /// The item was larger than the service takes, also without what could be left out of it.
    TooLarge,
    /// The service refused the item for good.
    Rejected,
    /// Time was over before the item could be sent, or it came after the end.
    Shutdown,
    /// azmon failed to encode the item.
    Internal,
}

impl DropReason {
    const ALL: [Self; 5] = [
        Self::QueueFull,
        Self::TooLarge,
        Self::Rejected,
        Self::Shutdown,
        Self::Internal,
    ];

    /// The reason as a word, as logs show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::TooLarge => "too_large",
            Self::Rejected => "rejected",
            Self::Shutdown => "shutdown",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many items were dropped for one reason, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DroppedItems {
    /// Why.
    pub reason: DropReason,
    /// How many.
    pub count: u64,
}

/// Counts of what was lost.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    dropped: [AtomicU64; DropReason::ALL.len()],
    trimmed: AtomicU64,
    news: AtomicBool,
}

impl Losses {
    pub(crate) fn count(&self, reason: DropReason, items: usize) {
        if items > 0 {
            self.dropped[reason as usize].fetch_add(items as u64, Ordering::Relaxed);
            self.news.store(true, Ordering::Relaxed);
        }
    }

    /// Whether something was dropped since the last call.
    pub(crate) fn take_news(&self) -> bool {
        self.news.load(Ordering::Relaxed) && self.news.swap(false, Ordering::Relaxed)
    }

    /// Counts an item that lost a part of itself, so that the rest could be sent.
    pub(crate) fn count_trimmed(&self) {
        self.trimmed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn trimmed(&self) -> u64 {
        self.trimmed.load(Ordering::Relaxed)
    }

    /// The reasons that have counted something.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = DroppedItems> {
        DropReason::ALL
            .into_iter()
            .zip(&self.dropped)
            .map(|(reason, count)| DroppedItems {
                reason,
                count: count.load(Ordering::Relaxed),
            })
            .filter(|dropped| dropped.count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_count() {
        let losses = Losses::default();
        for (items, reason) in DropReason::ALL.into_iter().enumerate() {
            losses.count(reason, items + 1);
        }
        let counted: Vec<_> = losses
            .dropped()
            .map(|dropped| (dropped.reason, dropped.count))
            .collect();
        assert_eq!(
            counted,
            DropReason::ALL.into_iter().zip(1..).collect::<Vec<_>>()
        );
    }
}
