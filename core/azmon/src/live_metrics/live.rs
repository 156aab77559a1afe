//! State that the application's threads, the worker and the client share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::otel_error;
use opentelemetry::trace::SpanKind;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::envelope::Envelope;
use crate::item::{Consumer, Item, ItemRef, Producer, QueueLimits, SpanView, queue};
use crate::live_metrics::collector::{Calls, Collected, Collector, Counts};
use crate::live_metrics::configuration::Configuration;

/// Limits of the unsampled items that wait for the worker, which takes them five times a second.
const LIMITS: QueueLimits = QueueLimits {
    items: 16_384,
    bytes: 16 << 20,
    batch: usize::MAX,
};

/// Whether a reader is subscribed, and the data that is collected for it.
///
/// The lock of the collector is taken by who observes items, which is the worker's thread alone in a program that sends
/// its own, and by the client.
#[derive(Debug)]
pub(crate) struct Live {
    is_watched: Arc<AtomicBool>,
    changed: Notify,
    collector: Mutex<Option<Collector>>,
    start: Instant,
    unsampled: Producer,
    missed: Missed,
}

/// Spans for which no room was left: they are counted, and neither filtered nor shown.
#[derive(Debug, Default)]
struct Missed {
    requests: MissedCalls,
    dependencies: MissedCalls,
}

#[derive(Debug, Default)]
struct MissedCalls {
    all: AtomicU64,
    failed: AtomicU64,
    microseconds: AtomicU64,
}

impl Live {
    /// Makes the shared part, and the end from which the worker takes unsampled items. `is_watched` is true while
    /// a reader is subscribed.
    pub(crate) fn new(is_watched: Arc<AtomicBool>) -> (Arc<Self>, Consumer) {
        let (producer, consumer) = queue(LIMITS);
        let live = Self {
            is_watched,
            changed: Notify::new(),
            collector: Mutex::default(),
            start: Instant::now(),
            unsampled: producer,
            missed: Missed::default(),
        };
        (Arc::new(live), consumer)
    }

    /// Whether a reader is subscribed: one relaxed load.
    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }

    /// Waits until a subscription begins or ends. Cancel safe.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes an item that is not sent, if a reader is subscribed. An item for which no room is left is counted and given
    /// back.
    pub(crate) fn offer(&self, item: Item) -> Result<(), Item> {
        if !self.is_watched() {
            return Err(item);
        }
        self.unsampled.push(item).map_err(|mut item| {
            self.miss(&mut item);
            item
        })
    }

    /// Counts a span that nothing else will see, if a reader is subscribed.
    pub(crate) fn miss(&self, item: &mut Item) {
        if !self.is_watched() {
            return;
        }
        let is_failure = item.is_failure();
        if let ItemRef::Span(span) = item.as_ref() {
            self.missed.add(span, !is_failure);
        }
    }

    /// Counts and samples an item as it is sent, or would be.
    ///
    /// A defect in a filter must not cost the item.
    pub(crate) fn observe(&self, envelope: &Envelope<'_>) {
        if !self.is_watched() {
            return;
        }
        let now = self.now();
        let observed = catch_unwind(AssertUnwindSafe(|| {
            if let Some(collector) = &mut *self.collector() {
                collector.observe(envelope, 1, now);
            }
        }));
        if observed.is_err() {
            otel_error!(name: "LiveMetrics.Panicked");
        }
    }

    /// The time of collectors and of the state machine: monotonic, since this was made.
    pub(super) fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.start)
    }

    pub(super) fn instant(&self, time: Duration) -> Instant {
        // Times are at most minutes ahead of now.
        self.start + time
    }

    pub(crate) fn start(&self, configuration: Arc<Configuration>) {
        self.missed.take();
        *self.collector() = Some(Collector::new(configuration, self.now()));
        self.is_watched.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    pub(super) fn stop(&self) {
        self.is_watched.store(false, Ordering::Relaxed);
        *self.collector() = None;
        self.changed.notify_one();
    }

    pub(super) fn configure(&self, configuration: Arc<Configuration>) {
        let now = self.now();
        if let Some(collector) = &mut *self.collector() {
            collector.configure(configuration, now);
        }
    }

    pub(crate) fn take(&self) -> Option<Collected> {
        let now = self.now();
        let mut collector = self.collector();
        let collector = collector.as_mut()?;
        collector.add(&self.missed.take());
        collector.take(now)
    }

    fn collector(&self) -> MutexGuard<'_, Option<Collector>> {
        self.collector
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Missed {
    fn add(&self, span: SpanView<'_>, success: bool) {
        let calls = match span.span_kind {
            SpanKind::Server | SpanKind::Consumer => &self.requests,
            SpanKind::Client | SpanKind::Producer | SpanKind::Internal => &self.dependencies,
        };
        let duration = span.end_time.duration_since(span.start_time);
        let microseconds = duration.unwrap_or_default().as_micros();
        calls.all.fetch_add(1, Ordering::Relaxed);
        calls
            .failed
            .fetch_add(u64::from(!success), Ordering::Relaxed);
        calls.microseconds.fetch_add(
            u64::try_from(microseconds).unwrap_or_default(),
            Ordering::Relaxed,
        );
    }

    fn take(&self) -> Counts {
        let take = |calls: &MissedCalls| Calls {
            all: calls.all.swap(0, Ordering::Relaxed),
            failed: calls.failed.swap(0, Ordering::Relaxed),
            milliseconds: calls.microseconds.swap(0, Ordering::Relaxed) as f64 / 1_000.0,
        };
        let mut counts = Counts {
            requests: take(&self.requests),
            dependencies: take(&self.dependencies),
            exceptions: 0,
        };
        // The parts of one span may be taken in two intervals.
        for calls in [&mut counts.requests, &mut counts.dependencies] {
            calls.failed = calls.failed.min(calls.all);
        }
        counts
    }
}
