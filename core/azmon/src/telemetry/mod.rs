mod assembly;
mod bounded;
mod builder;
mod console;
pub(crate) mod global;
mod guard;
mod logs;
mod metrics;
mod otlp;
mod panic_hook;
mod processing;
mod sampling;
#[cfg(feature = "tracing")]
mod tracing_layer;

pub use self::builder::TelemetryBuilder;
pub use self::guard::Telemetry;
