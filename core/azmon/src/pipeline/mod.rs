//! The path from the SDK to the worker: a bounded queue that never makes a request wait.
//!
//! Invariants:
//! - Ending a span or emitting a log record costs a size estimate, two atomic additions and one push. It takes no lock
//!   that the worker holds, and wakes the worker once per batch. If failures or slow requests are kept, it also takes
//!   the lock of one of the shards in which their traces wait; other requests take this lock as well.
//! - At most [`QueueLimits`](crate::item::QueueLimits) items and bytes wait. Further items are dropped and counted: an
//!   application that outruns its network loses telemetry, not memory. The last eighth is reserved for exceptions and
//!   failed requests. The bytes of an item count until the item is encoded.
//! - A span is one block of memory: the queue moves a pointer. The worker may write its attributes, and counts it for
//!   the metrics. A span that finds no room in the queue is counted where it ended.
//! - Unsampled spans are counted by the metrics but not queued. [`UnsampledLogs`] decides about log records in them.
//!   Items that may still be kept wait before the queue, within limits: see [`sampling`](crate::sampling).

mod inherit;
mod intake;
mod log_processor;
mod queue_metric_exporter;
mod span_processor;
mod unsampled_logs;
mod worker_builder;

pub(crate) use self::inherit::inherit;
pub(crate) use self::intake::{Intake, Tail};
pub(crate) use self::log_processor::LogProcessor;
pub(crate) use self::queue_metric_exporter::{
    LastCollection, QueueMetricExporter, is_about_the_sdk,
};
pub(crate) use self::span_processor::SpanProcessor;
pub use self::unsampled_logs::UnsampledLogs;
pub(crate) use self::worker_builder::WorkerBuilder;
