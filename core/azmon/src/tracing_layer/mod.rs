//! From `tracing` to OpenTelemetry: spans become spans, and events become log records.

mod events;
mod span_fields;
mod targets;
mod visitor;

pub(crate) use self::events::Events;
pub use self::span_fields::SpanFields;
pub(crate) use self::targets::is_own;
pub use self::targets::tracing_targets;
