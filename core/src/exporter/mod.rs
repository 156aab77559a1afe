//! The plain SDK exporter traits, for people who assemble their own SDK.

mod metric;
mod span;

pub use self::metric::{MetricExporter, MetricExporterBuilder};
pub use self::span::{SpanExporter, SpanExporterBuilder};
