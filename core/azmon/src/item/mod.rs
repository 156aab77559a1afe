//! The items that pass from the instrumentation to the worker: spans, log records and finished envelopes; their queue;
//! and the counters of lost items.

mod any_value;
mod counters;
mod lanes;
mod log_data;
mod queue;
mod queued;
pub(crate) mod sample_rate;
mod size;
mod span_view;
mod telemetry_type;

pub use self::counters::{DropReason, DroppedItems, SignalReport};
pub(crate) use self::counters::{ItemCounters, LabelCounts};
pub use self::log_data::LogData;
pub(crate) use self::queue::{Consumer, Producer, QueueLimits, Taken, queue};
pub(crate) use self::queued::{Item, ItemRef};
pub(crate) use self::span_view::{SpanView, record_of};
pub(crate) use self::telemetry_type::{ItemLabel, sdk_statistics};
pub use self::telemetry_type::{Signal, TelemetryType};
