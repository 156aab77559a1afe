//! OpenCensus, OTLP and Application Insights in, Application Insights out.
//!
//! [`inputs`] receive and map telemetry, and deliver it to a [`Sink`](sink::Sink).

pub mod inputs;
#[doc(hidden)]
pub mod proto;
pub mod sink;
