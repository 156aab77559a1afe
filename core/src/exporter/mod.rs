//! The plain SDK exporter traits, for people who assemble their own SDK.

mod span;

pub use self::span::{SpanExporter, SpanExporterBuilder};
