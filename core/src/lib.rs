//! Application Insights for Rust.

pub mod config;
mod connection_string;
pub mod envelope;
mod error;
mod exporter;
#[cfg(test)]
mod fixtures;
pub mod instrument;
pub mod mapping;
mod pipeline;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod transmission;

pub use crate::connection_string::{
    ConnectionString, MAX_CONNECTION_STRING, ParseConnectionStringError,
};
pub use crate::error::{BuildError, DeliveryError};
pub use crate::exporter::{SpanExporter, SpanExporterBuilder};
pub use crate::telemetry::{Telemetry, TelemetryBuilder};
pub use crate::transmission::{DropReason, DroppedItems};
