//! Telemetry of a process: its builder, the assembly of its parts, and the guard that ends it.

mod assembly;
mod bounded;
mod builder;
pub(crate) mod global;
mod guard;
mod logs;
mod otlp_exporters;
mod panic_hook;
mod statistics_metrics;
#[cfg(feature = "tracing")]
mod tracing_layer;

pub use self::builder::TelemetryBuilder;
pub use self::guard::Telemetry;
