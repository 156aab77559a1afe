use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::item::{ItemKind, TelemetryType};

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
    /// The log record belongs to a span that is not sampled: see [`UnsampledLogs`](crate::UnsampledLogs).
    Unsampled,
    /// A telemetry processor dropped the item.
    Processor,
    /// A telemetry processor panicked over the item.
    ProcessorPanicked,
}

impl DropReason {
    const ALL: [Self; 8] = [
        Self::QueueFull,
        Self::TooLarge,
        Self::Rejected,
        Self::Shutdown,
        Self::Internal,
        Self::Unsampled,
        Self::Processor,
        Self::ProcessorPanicked,
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
            Self::Unsampled => "unsampled",
            Self::Processor => "processor",
            Self::ProcessorPanicked => "processor_panicked",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many items of one type were dropped for one reason, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DroppedItems {
    /// Why.
    pub reason: DropReason,
    /// What.
    pub telemetry_type: TelemetryType,
    /// How many.
    pub count: u64,
}

/// Counts of what was lost, by reason and kind.
#[derive(Debug)]
pub(crate) struct Losses {
    dropped: [[AtomicU64; ItemKind::COUNT]; DropReason::ALL.len()],
    trimmed: AtomicU64,
    news: AtomicBool,
}

impl Default for Losses {
    fn default() -> Self {
        let zeros = |_| std::array::from_fn(|_| AtomicU64::new(0));
        Self {
            dropped: std::array::from_fn(zeros),
            trimmed: AtomicU64::new(0),
            news: AtomicBool::new(false),
        }
    }
}

impl Losses {
    pub(crate) fn count(&self, reason: DropReason, kind: impl Into<ItemKind>, items: usize) {
        if items > 0 {
            let count = &self.dropped[reason as usize][kind.into().index()];
            count.fetch_add(items as u64, Ordering::Relaxed);
            // What is dropped on purpose is no news.
            let is_meant = matches!(reason, DropReason::Unsampled | DropReason::Processor);
            self.news.fetch_or(!is_meant, Ordering::Relaxed);
        }
    }

    /// Counts one item of each of `kinds`.
    pub(crate) fn count_each(&self, reason: DropReason, kinds: &[ItemKind]) {
        kinds.iter().for_each(|kind| self.count(reason, *kind, 1));
    }

    /// Whether something was dropped since the last call, other than on purpose.
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

    /// What has counted something, by reason and type.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = DroppedItems> {
        let by_type = |(reason, counts): (DropReason, &[AtomicU64; ItemKind::COUNT])| {
            let mut totals = TelemetryType::ALL.map(|telemetry_type| DroppedItems {
                reason,
                telemetry_type,
                count: 0,
            });
            for (kind, count) in ItemKind::all().zip(counts) {
                totals[kind.telemetry_type as usize].count += count.load(Ordering::Relaxed);
            }
            totals
        };
        DropReason::ALL
            .into_iter()
            .zip(&self.dropped)
            .flat_map(by_type)
            .filter(|dropped| dropped.count > 0)
    }

    /// What has counted something, by reason and kind.
    pub(crate) fn by_kind(&self) -> impl Iterator<Item = (DropReason, ItemKind, u64)> {
        let of_reason = |(reason, counts): (DropReason, &'_ [AtomicU64; ItemKind::COUNT])| {
            let loaded: Vec<_> = counts
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect();
            ItemKind::all()
                .zip(loaded)
                .map(move |(kind, count)| (reason, kind, count))
        };
        DropReason::ALL
            .into_iter()
            .zip(&self.dropped)
            .flat_map(of_reason)
            .filter(|(.., count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_processor_drops_is_counted_but_no_news() {
        let losses = Losses::default();
        losses.count(DropReason::Processor, TelemetryType::Trace, 3);
        assert!(!losses.take_news());
        losses.count(DropReason::ProcessorPanicked, TelemetryType::Trace, 1);
        assert!(losses.take_news());
        assert_eq!(
            losses.dropped().map(|dropped| dropped.count).sum::<u64>(),
            4
        );
    }

    #[test]
    fn every_reason_and_every_type_has_its_own_count() {
        let losses = Losses::default();
        let mut expected = Vec::new();
        for reason in DropReason::ALL {
            for telemetry_type in TelemetryType::ALL {
                let count = expected.len() + 1;
                losses.count(reason, telemetry_type, count);
                expected.push((reason, telemetry_type, count as u64));
            }
        }
        let counted: Vec<_> = losses
            .dropped()
            .map(|dropped| (dropped.reason, dropped.telemetry_type, dropped.count))
            .collect();
        assert_eq!(counted, expected);
    }

    #[test]
    fn success_and_failure_are_one_type_but_two_kinds() {
        let losses = Losses::default();
        let request = |success| ItemKind {
            telemetry_type: TelemetryType::Request,
            success,
        };
        let kinds = [Some(true), Some(false), Some(true)].map(request);
        losses.count_each(DropReason::Rejected, &kinds);
        assert_eq!(
            losses
                .dropped()
                .map(|dropped| dropped.count)
                .collect::<Vec<_>>(),
            [3]
        );
        let by_kind: Vec<_> = losses
            .by_kind()
            .map(|(_, kind, count)| (kind.success, count))
            .collect();
        assert_eq!(by_kind, [(Some(false), 1), (Some(true), 2)]);
    }

    #[test]
    fn what_sampling_leaves_out_is_counted_but_no_news() {
        let losses = Losses::default();
        losses.count(DropReason::Unsampled, TelemetryType::Trace, 1);
        assert!(!losses.take_news());
        losses.count(DropReason::Rejected, TelemetryType::Trace, 1);
        losses.count(DropReason::Unsampled, TelemetryType::Trace, 1);
        assert!(losses.take_news());
        assert!(!losses.take_news());
    }
}
