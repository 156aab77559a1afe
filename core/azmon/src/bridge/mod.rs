//! From `tracing` to OpenTelemetry: spans become spans, events become log records.

mod events;
mod layer;
mod targets;
mod visitor;

pub use self::targets::tracing_targets;
