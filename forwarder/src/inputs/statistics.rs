use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of an input since its start. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct InputStatistics {
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    batches_received: AtomicU64,
    batches_failed: AtomicU64,
    configs_received: AtomicU64,
    configs_failed: AtomicU64,
    items_received: AtomicU64,
    items_rejected: AtomicU64,
}

/// A snapshot of [`InputStatistics`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputCounts {
    /// Messages with telemetry that were delivered.
    pub batches_received: u64,
    /// Messages that could not be read, or that the sink refused.
    pub batches_failed: u64,
    /// Messages with a library's configuration.
    pub configs_received: u64,
    /// Messages with a configuration that could not be read.
    pub configs_failed: u64,
    /// Items, such as spans, that were delivered.
    pub items_received: u64,
    /// Items that could not be read, or that the sink rejected permanently.
    pub items_rejected: u64,
}

impl InputStatistics {
    /// Reads the counters.
    #[must_use]
    pub fn counts(&self) -> InputCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        InputCounts {
            batches_received: load(&self.counters.batches_received),
            batches_failed: load(&self.counters.batches_failed),
            configs_received: load(&self.counters.configs_received),
            configs_failed: load(&self.counters.configs_failed),
            items_received: load(&self.counters.items_received),
            items_rejected: load(&self.counters.items_rejected),
        }
    }

    pub(crate) fn batch_received(&self, items: u64, rejected: u64) {
        let Counters {
            batches_received,
            items_received,
            items_rejected,
            ..
        } = &*self.counters;
        batches_received.fetch_add(1, Ordering::Relaxed);
        items_received.fetch_add(items, Ordering::Relaxed);
        items_rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    pub(crate) fn batch_failed(&self) {
        self.counters.batches_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn config_received(&self) {
        let received = &self.counters.configs_received;
        received.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn config_failed(&self) {
        self.counters.configs_failed.fetch_add(1, Ordering::Relaxed);
    }
}
