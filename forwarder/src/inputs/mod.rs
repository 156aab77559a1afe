//! The inputs, which receive, decode and map telemetry for a [`Sink`](crate::sink::Sink).
//!
//! Every input is a value with services for HTTP or gRPC, which a [`Listener`] serves. No message makes an input
//! panic or use unbounded memory: see [`Limits`]. An error ends only its request or stream.

mod application_insights;
mod budget;
mod delta;
mod grpc;
mod histogram;
mod http;
mod limits;
mod listener;
mod names;
mod opencensus;
mod otlp;
mod statistics;
mod status;

pub use self::application_insights::{ApplicationInsightsInput, ApplicationInsightsOptions};
pub use self::budget::Budget;
pub use self::grpc::serve_grpc;
pub use self::http::serve_http;
pub use self::limits::Limits;
pub use self::listener::{Connection, Connections, Listener};
pub use self::opencensus::{OpenCensusInput, OpenCensusOptions};
pub use self::otlp::{OtlpInput, OtlpOptions};
pub use self::statistics::{InputCounts, InputStatistics};
