//! The whereabouts of every item: sent, stored on disk, or dropped with a reason.
//!
//! Invariant: an item that the worker took is counted exactly once: as open (in the worker's hands), sent, stored, or
//! dropped. An item that was refused before is counted as dropped only. So `sent + stored + dropped` is the number of
//! items that ended, as soon as none wait and none are open.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::item::{ItemLabel, Signal, TelemetryType};

/// The reason why an item was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue was full.
    QueueFull,
    /// The item exceeded the service's maximum size, even after it was shortened.
    TooLarge,
    /// The service refused the item permanently.
    Rejected,
    /// The timeout of the shutdown expired before the item could be sent or stored, or the item came after the
    /// shutdown.
    Shutdown,
    /// azmon failed to encode the item.
    Internal,
    /// The log record belongs to an unsampled span: see [`UnsampledLogs`](crate::UnsampledLogs).
    Unsampled,
    /// A telemetry processor dropped the item.
    Processor,
    /// A telemetry processor panicked while it processed the item.
    ProcessorPanicked,
    /// The item could not be delivered within its maximum age, 48 h by default.
    Expired,
    /// The item was removed from disk to make room for newer ones.
    StorageFull,
    /// The file that contained the item is missing or damaged.
    StorageDamaged,
}

impl DropReason {
    const ALL: [Self; 11] = [
        Self::QueueFull,
        Self::TooLarge,
        Self::Rejected,
        Self::Shutdown,
        Self::Internal,
        Self::Unsampled,
        Self::Processor,
        Self::ProcessorPanicked,
        Self::Expired,
        Self::StorageFull,
        Self::StorageDamaged,
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
            Self::Expired => "expired",
            Self::StorageFull => "storage_full",
            Self::StorageDamaged => "storage_damaged",
        }
    }

    /// Whether the program asked for these drops.
    fn is_intentional(self) -> bool {
        matches!(self, Self::Unsampled | Self::Processor)
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The number of items of one type that were dropped for one reason, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DroppedItems {
    /// The reason.
    pub reason: DropReason,
    /// The type of the items.
    pub telemetry_type: TelemetryType,
    /// The number of items.
    pub count: u64,
}

/// The outcome of the items of a signal, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignalReport {
    /// Items that the service has accepted.
    pub sent: u64,
    /// Items on disk, to be sent later or by the next process.
    pub stored: u64,
    /// Items that were lost or dropped on purpose.
    pub dropped: u64,
}

type Counts = [u64; ItemLabel::COUNT];

/// Counts of items by label, and of drops by reason and label.
#[derive(Debug)]
pub(crate) struct ItemCounters {
    dropped: [[AtomicU64; ItemLabel::COUNT]; DropReason::ALL.len()],
    trimmed: AtomicU64,
    unreported: AtomicBool,
    custody: Mutex<Custody>,
}

/// The items that the worker has taken.
#[derive(Debug)]
struct Custody {
    open: Counts,
    sent: Counts,
    stored: Counts,
    /// A shutdown gave up on the worker: its further actions are not counted.
    is_abandoned: bool,
}

impl Default for ItemCounters {
    fn default() -> Self {
        let zeros = |_| std::array::from_fn(|_| AtomicU64::new(0));
        Self {
            dropped: std::array::from_fn(zeros),
            trimmed: AtomicU64::new(0),
            unreported: AtomicBool::new(false),
            custody: Mutex::new(Custody {
                open: [0; ItemLabel::COUNT],
                sent: [0; ItemLabel::COUNT],
                stored: [0; ItemLabel::COUNT],
                is_abandoned: false,
            }),
        }
    }
}

impl ItemCounters {
    /// Counts items that are dropped before the worker takes them.
    pub(crate) fn count(&self, reason: DropReason, label: impl Into<ItemLabel>, items: usize) {
        if items > 0 {
            let count = &self.dropped[reason as usize][label.into().index()];
            count.fetch_add(items as u64, Ordering::Relaxed);
            let is_news = !reason.is_intentional();
            self.unreported.fetch_or(is_news, Ordering::Relaxed);
        }
    }

    /// Counts items that the worker takes.
    pub(crate) fn take(&self, labels: impl IntoIterator<Item = ItemLabel>) {
        self.with(|custody| {
            labels
                .into_iter()
                .for_each(|label| custody.open[label.index()] += 1);
        });
    }

    /// Replaces the label of a taken item by the labels of the lines that it became.
    pub(crate) fn relabel(&self, taken: ItemLabel, lines: &[ItemLabel]) {
        if lines == [taken] {
            return;
        }
        self.with(|custody| {
            close(&mut custody.open, taken, 1);
            lines
                .iter()
                .for_each(|label| custody.open[label.index()] += 1);
        });
    }

    /// Counts items that the worker drops.
    pub(crate) fn drop_open(
        &self,
        reason: DropReason,
        labels: impl IntoIterator<Item = ItemLabel>,
    ) {
        self.with(|custody| {
            for label in labels {
                close(&mut custody.open, label, 1);
                self.count(reason, label, 1);
            }
        });
    }

    /// Counts items that the service has accepted.
    pub(crate) fn sent(&self, labels: impl IntoIterator<Item = ItemLabel>) {
        self.with(|custody| {
            for label in labels {
                close(&mut custody.open, label, 1);
                custody.sent[label.index()] += 1;
            }
        });
    }

    /// Counts items that are on disk and no longer in memory.
    pub(crate) fn stored(&self, labels: impl IntoIterator<Item = ItemLabel>) {
        self.with(|custody| {
            for label in labels {
                close(&mut custody.open, label, 1);
                custody.stored[label.index()] += 1;
            }
        });
    }

    /// Counts items that were read from disk to be sent.
    pub(crate) fn reopened(&self, labels: impl IntoIterator<Item = ItemLabel>) {
        self.with(|custody| {
            for label in labels {
                close(&mut custody.stored, label, 1);
                custody.open[label.index()] += 1;
            }
        });
    }

    /// Counts stored items that are lost.
    pub(crate) fn drop_stored(&self, reason: DropReason, counts: &LabelCounts) {
        self.with(|custody| {
            for (label, count) in counts.iter() {
                close(&mut custody.stored, label, u64::from(count));
                self.count(reason, label, count as usize);
            }
        });
    }

    /// Gives up on the worker: counts all of its open items as dropped, and ignores its further actions.
    pub(crate) fn abandon(&self) {
        let mut custody = self.custody();
        custody.is_abandoned = true;
        let open = std::mem::replace(&mut custody.open, [0; ItemLabel::COUNT]);
        for (label, count) in ItemLabel::all().zip(open) {
            self.count(DropReason::Shutdown, label, count as usize);
        }
    }

    /// The number of items that the worker holds in memory.
    pub(crate) fn open(&self) -> u64 {
        self.custody().open.iter().sum()
    }

    /// The outcome of the items of a signal.
    pub(crate) fn report(&self, signal: Signal) -> SignalReport {
        let custody = self.custody();
        let sum = |counts: &Counts| {
            let labels = ItemLabel::all().zip(counts);
            let own = labels.filter(|(label, _)| label.signal == signal);
            own.map(|(_, count)| count).sum()
        };
        let dropped = self
            .by_label()
            .filter(|(_, label, _)| label.signal == signal);
        SignalReport {
            sent: sum(&custody.sent),
            stored: sum(&custody.stored),
            dropped: dropped.map(|(_, _, count)| count).sum(),
        }
    }

    /// The number of sent items, by label.
    pub(crate) fn sent_by_label(&self) -> Vec<(ItemLabel, u64)> {
        let custody = self.custody();
        let counts = ItemLabel::all().zip(custody.sent);
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Whether items were dropped since the last call, other than on purpose.
    pub(crate) fn take_unreported(&self) -> bool {
        self.unreported.load(Ordering::Relaxed) && self.unreported.swap(false, Ordering::Relaxed)
    }

    /// Counts an item that was shortened so that it could be sent.
    pub(crate) fn count_trimmed(&self) {
        self.trimmed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn trimmed(&self) -> u64 {
        self.trimmed.load(Ordering::Relaxed)
    }

    /// The dropped items, by reason and type.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = DroppedItems> {
        let by_type = |(reason, counts): (DropReason, &[AtomicU64; ItemLabel::COUNT])| {
            let mut totals = TelemetryType::ALL.map(|telemetry_type| DroppedItems {
                reason,
                telemetry_type,
                count: 0,
            });
            for (label, count) in ItemLabel::all().zip(counts) {
                totals[label.telemetry_type as usize].count += count.load(Ordering::Relaxed);
            }
            totals
        };
        DropReason::ALL
            .into_iter()
            .zip(&self.dropped)
            .flat_map(by_type)
            .filter(|dropped| dropped.count > 0)
    }

    /// The dropped items, by reason and label.
    pub(crate) fn by_label(&self) -> impl Iterator<Item = (DropReason, ItemLabel, u64)> {
        let reasons = DropReason::ALL.into_iter().zip(&self.dropped);
        let counts = reasons.flat_map(|(reason, counts)| {
            let labels = ItemLabel::all().zip(counts);
            labels.map(move |(label, count)| (reason, label, count.load(Ordering::Relaxed)))
        });
        counts.filter(|(_, _, count)| *count > 0)
    }

    fn with(&self, change: impl FnOnce(&mut Custody)) {
        let mut custody = self.custody();
        if !custody.is_abandoned {
            change(&mut custody);
        }
    }

    fn custody(&self) -> MutexGuard<'_, Custody> {
        self.custody.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn close(counts: &mut Counts, label: ItemLabel, items: u64) {
    let count = &mut counts[label.index()];
    debug_assert!(
        *count >= items,
        "{label:?} is closed more often than it was opened"
    );
    *count = count.saturating_sub(items);
}

/// The number of items of a batch, by label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelCounts(Vec<(ItemLabel, u32)>);

impl LabelCounts {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ItemLabel, u32)> {
        self.0.iter().copied()
    }
}

impl FromIterator<ItemLabel> for LabelCounts {
    fn from_iter<I: IntoIterator<Item = ItemLabel>>(labels: I) -> Self {
        let mut counts: Vec<(ItemLabel, u32)> = Vec::new();
        for label in labels {
            match counts.iter_mut().find(|(known, _)| *known == label) {
                Some((_, count)) => *count += 1,
                None => counts.push((label, 1)),
            }
        }
        Self(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: ItemLabel = ItemLabel {
        signal: Signal::Traces,
        telemetry_type: TelemetryType::Request,
        success: Some(true),
    };

    #[test]
    fn every_reason_and_type_has_its_own_count() {
        let counters = ItemCounters::default();
        let mut expected = Vec::new();
        for reason in DropReason::ALL {
            for telemetry_type in TelemetryType::ALL {
                let count = expected.len() + 1;
                counters.count(reason, telemetry_type, count);
                expected.push((reason, telemetry_type, count as u64));
            }
        }
        let counted: Vec<_> = counters
            .dropped()
            .map(|dropped| (dropped.reason, dropped.telemetry_type, dropped.count))
            .collect();
        assert_eq!(counted, expected);
    }

    #[test]
    fn success_and_failure_are_one_type_but_two_labels() {
        let counters = ItemCounters::default();
        for success in [Some(true), Some(false), Some(true)] {
            counters.count(DropReason::Rejected, ItemLabel { success, ..SPAN }, 1);
        }
        let dropped: Vec<_> = counters.dropped().map(|dropped| dropped.count).collect();
        assert_eq!(dropped, [3]);
        let by_label = counters.by_label();
        let by_label: Vec<_> = by_label
            .map(|(_, label, count)| (label.success, count))
            .collect();
        assert_eq!(by_label, [(Some(false), 1), (Some(true), 2)]);
    }

    #[test]
    fn intentional_drops_are_counted_but_not_reported() {
        let counters = ItemCounters::default();
        counters.count(DropReason::Unsampled, TelemetryType::Trace, 1);
        assert!(!counters.take_unreported());
        counters.count(DropReason::Rejected, TelemetryType::Trace, 1);
        counters.count(DropReason::Unsampled, TelemetryType::Trace, 1);
        assert!(counters.take_unreported());
        assert!(!counters.take_unreported());
    }

    #[test]
    fn every_item_is_in_one_place() {
        let counters = ItemCounters::default();
        counters.take([SPAN; 5]);
        counters.sent([SPAN]);
        counters.stored([SPAN; 2]);
        counters.drop_open(DropReason::Rejected, [SPAN]);
        let report = counters.report(Signal::Traces);
        assert_eq!((report.sent, report.stored, report.dropped), (1, 2, 1));
        assert_eq!(counters.open(), 1);
        counters.reopened([SPAN]);
        counters.sent([SPAN; 2]);
        counters.drop_stored(DropReason::StorageFull, &[SPAN].into_iter().collect());
        let report = counters.report(Signal::Traces);
        assert_eq!((report.sent, report.stored, report.dropped), (3, 0, 2));
        assert_eq!(counters.report(Signal::Logs), SignalReport::default());
    }

    #[test]
    fn an_abandoned_worker_loses_what_it_holds_and_counts_no_more() {
        let counters = ItemCounters::default();
        counters.take([SPAN; 3]);
        counters.sent([SPAN]);
        counters.abandon();
        counters.sent([SPAN; 2]);
        counters.drop_open(DropReason::Rejected, [SPAN]);
        let report = counters.report(Signal::Traces);
        assert_eq!((report.sent, report.stored, report.dropped), (1, 0, 2));
    }

    #[test]
    fn an_item_may_become_several_lines() {
        let counters = ItemCounters::default();
        let exception = ItemLabel::new(Signal::Traces, TelemetryType::Exception);
        counters.take([SPAN]);
        counters.relabel(SPAN, &[SPAN, exception]);
        counters.sent([SPAN, exception]);
        assert_eq!(counters.report(Signal::Traces).sent, 2);
        assert_eq!(counters.open(), 0);
    }
}
