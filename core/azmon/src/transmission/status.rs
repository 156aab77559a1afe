//! The state of delivery, for applications.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::item::{DroppedItems, SignalReport};
use crate::transmission::CircuitState;

/// The state of telemetry: the outcome of the items, the waiting items, and the state of the endpoint.
///
/// Once no item waits and no upload runs, `sent`, `stored` and `dropped` of a signal add up to all of its items that
/// ended.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TelemetryStatistics {
    /// Spans, and the events in them.
    pub traces: SignalReport,
    /// Log records, custom events and availability results.
    pub logs: SignalReport,
    /// Metrics.
    pub metrics: SignalReport,
    /// Items of earlier processes that this process read from disk; `stored` of them are back on disk.
    pub recovered: SignalReport,
    /// The dropped items, by reason and type.
    pub dropped: Vec<DroppedItems>,
    /// Number of items that wait to be encoded.
    pub queue_items: usize,
    /// Their memory in bytes, as azmon estimates it.
    pub queue_bytes: usize,
    /// Number of encoded items in memory that are not delivered.
    pub open_items: u64,
    /// Memory of the encoded batches, in bytes.
    pub memory_bytes: usize,
    /// Size of the files of this process, in bytes.
    pub disk_bytes: u64,
    /// Number of files of this process.
    pub disk_batches: usize,
    /// The state of the endpoint.
    pub circuit: CircuitState,
    /// The last error, with its time.
    pub last_error: Option<(SystemTime, String)>,
    /// The time of the last success.
    pub last_success: Option<SystemTime>,
}

/// The state that a worker publishes.
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
