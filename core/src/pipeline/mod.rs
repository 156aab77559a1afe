//! From the SDK to the worker: a bounded queue that never makes a request wait.
//!
//! Invariants:
//! - Ending a span costs a size estimate, two atomic additions and one push; it takes no lock that the
//!   worker holds, and wakes the worker once per batch.
//! - At most [`QueueLimits`] items and bytes wait. What comes beyond is dropped, the newest first, and
//!   counted: an application that outruns its network loses telemetry, not memory.
//! - Spans that are not sampled are counted by the metrics, but not queued.

mod item;
mod launch;
mod metric_queue;
mod processor;
mod queue;
mod size;

pub(crate) use self::item::Item;
pub(crate) use self::launch::Launch;
pub(crate) use self::metric_queue::MetricQueue;
pub(crate) use self::processor::Processor;
pub(crate) use self::queue::{Consumer, Producer, QueueLimits, queue};
