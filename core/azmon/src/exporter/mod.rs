//! Implementations of the SDK's exporter traits, for applications that assemble their own SDK.

mod builder;
mod envelope;
mod log;
mod metric;
mod sender;
mod shared;
mod span;

pub use self::builder::ExporterBuilder;
pub use self::envelope::{EnvelopeExporter, EnvelopeExporterBuilder, QueueFullError};
pub use self::log::{LogExporter, LogExporterBuilder};
pub use self::metric::{MetricExporter, MetricExporterBuilder};
pub use self::span::{SpanExporter, SpanExporterBuilder};
