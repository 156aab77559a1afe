//! Inputs: what is received, decoded and mapped, for a [`Sink`](crate::sink::Sink).
//!
//! Every input is a value with routes to serve, over HTTP or gRPC, on a [`Listener`]. Whatever arrives, an
//! input does not panic and does not grow: see [`Limits`]. An error ends one request or one stream, and
//! nothing else.

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
