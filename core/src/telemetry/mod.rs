mod assembly;
mod bounded;
mod builder;
mod console;
mod guard;
mod metrics;
mod otlp;

pub use self::builder::TelemetryBuilder;
pub use self::guard::Telemetry;
