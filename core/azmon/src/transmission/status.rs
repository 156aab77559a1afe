//! How delivery is doing, for whoever asks.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::item::{DroppedItems, SignalReport};
use crate::transmission::CircuitState;

/// How telemetry is doing: what became of the items, what waits, and whether the endpoint takes them.
///
/// Once nothing waits and nothing is under way, `sent`, `stored` and `dropped` of a signal add up to all of its
/// items that ended.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TelemetryStatistics {
    /// Spans, and the events in them.
    pub traces: SignalReport,
    /// Log records, custom events and availability results.
    pub logs: SignalReport,
    /// Metrics.
    pub metrics: SignalReport,
    /// What earlier processes had left on disk, and this one read; `stored` of them are back on disk.
    pub recovered: SignalReport,
    /// The drops by reason and type.
    pub dropped: Vec<DroppedItems>,
    /// Items that wait to be encoded.
    pub queue_items: usize,
    /// The memory that they take, in bytes, as azmon estimates it.
    pub queue_bytes: usize,
    /// Encoded items in memory that are not delivered.
    pub open_items: u64,
    /// The memory that encoded batches take, in bytes.
    pub memory_bytes: usize,
    /// Bytes of files of this process.
    pub disk_bytes: u64,
    /// Files of this process.
    pub disk_batches: usize,
    /// Whether the endpoint takes telemetry.
    pub circuit: CircuitState,
    /// What went wrong last, and when.
    pub last_error: Option<(SystemTime, String)>,
    /// When the service took a batch last.
    pub last_success: Option<SystemTime>,
}

/// What a worker lets others see.
#[derive(Debug, Default)]
pub(crate) struct Status(Mutex<StatusData>);

#[derive(Debug, Default, Clone)]
pub(crate) struct StatusData {
    pub(crate) memory_bytes: usize,
    pub(crate) disk_bytes: u64,
    pub(crate) disk_batches: usize,
    pub(crate) circuit: CircuitState,
    pub(crate) last_error: Option<(SystemTime, String)>,
    pub(crate) last_success: Option<SystemTime>,
}

impl Status {
    pub(crate) fn get(&self) -> StatusData {
        self.lock().clone()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut StatusData)) {
        change(&mut self.lock());
    }

    pub(super) fn failed(&self, error: String) {
        self.lock().last_error = Some((SystemTime::now(), error));
    }

    pub(super) fn succeeded(&self) {
        self.lock().last_success = Some(SystemTime::now());
    }

    fn lock(&self) -> MutexGuard<'_, StatusData> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
