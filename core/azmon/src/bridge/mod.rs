//! From `tracing` to OpenTelemetry: spans become spans, events become log records.

mod events;
mod layer;
mod span_fields;
mod targets;
mod visitor;

pub use self::span_fields::SpanFields;
pub use self::targets::tracing_targets;
