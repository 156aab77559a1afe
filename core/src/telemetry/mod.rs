mod builder;
mod guard;

pub use self::builder::TelemetryBuilder;
pub use self::guard::Telemetry;
