//! From the SDK to the worker: a bounded queue that never makes a request wait.
//!
//! Invariants:
//! - Ending a span, or emitting a log record, costs a size estimate, two atomic additions and one push; it takes no lock that the
//!   worker holds, and wakes the worker once per batch.
//! - At most [`QueueLimits`](crate::item::QueueLimits) items and bytes wait. What comes beyond is dropped, the newest first, and
//!   counted: an application that outruns its network loses telemetry, not memory.
//! - A span is one block of memory: the queue moves a pointer. Its attributes may be written by the worker,
//!   which also counts it for the metrics; one that finds no room is counted where it ended.
//! - Spans that are not kept are counted by the metrics, but not queued; log records in them by
//!   [`UnsampledLogs`]. What may yet be kept waits before the queue, bounded too: see
//!   [`sampling`](crate::sampling).

mod inherit;
mod intake;
mod launch;
mod log_processor;
mod metric_queue;
mod processor;
mod unsampled_logs;

pub(crate) use self::inherit::inherit;
pub(crate) use self::intake::{Intake, Tail};
pub(crate) use self::launch::Launch;
pub(crate) use self::log_processor::LogProcessor;
pub(crate) use self::metric_queue::MetricQueue;
pub(crate) use self::processor::Processor;
pub use self::unsampled_logs::UnsampledLogs;
