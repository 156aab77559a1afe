//! From the SDK to the worker: a bounded queue that never makes a request wait.
//!
//! Invariants:
//! - Ending a span, or emitting a log record, costs a size estimate, two atomic additions and one push; it takes no lock that the
//!   worker holds, and wakes the worker once per batch. Where failures or slow requests are kept, it also takes the lock of one of
//!   the shards in which their traces wait, which other requests take too.
//! - At most [`QueueLimits`](crate::item::QueueLimits) items and bytes wait. What comes beyond is dropped, the newest first, and
//!   counted: an application that outruns its network loses telemetry, not memory. The last eighth is kept for
//!   exceptions and failed requests. The bytes count until an item is encoded.
//! - A span is one block of memory: the queue moves a pointer. Its attributes may be written by the worker,
//!   which also counts it for the metrics; one that finds no room is counted where it ended.
//! - Spans that are not kept are counted by the metrics, but not queued; log records in them by
//!   [`UnsampledLogs`]. What may yet be kept waits before the queue, bounded too: see
//!   [`sampling`](crate::sampling).

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
