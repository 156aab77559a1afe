//! What flows from the instrumentation to the worker: spans, log records, finished envelopes; the queue that they
//! wait in; and what counts those that are lost.

mod any_value;
mod log_data;
mod losses;
mod queue;
mod queued;
pub(crate) mod sample_rate;
mod size;
mod span_view;
mod telemetry_kind;
mod telemetry_type;

pub use self::log_data::LogData;
pub(crate) use self::losses::Losses;
pub use self::losses::{DropReason, DroppedItems};
pub(crate) use self::queue::{Consumer, Producer, QueueLimits, queue};
pub(crate) use self::queued::{Item, ItemRef};
pub(crate) use self::span_view::{SpanView, record_of};
pub use self::telemetry_kind::TelemetryKind;
pub use self::telemetry_type::TelemetryType;
pub(crate) use self::telemetry_type::{ItemKind, sdk_statistics};
