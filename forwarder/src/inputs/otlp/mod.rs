//! OTLP: OpenTelemetry's own protocol, by gRPC and by HTTP, as protobuf and as JSON.
//!
//! What comes in becomes what azmon would have sent itself: spans, log records and data points go through
//! [`azmon::mapping`], with the resource that came with them. In addition:
//!
//! - Requests name the operation of the other spans and the log records of their trace and service.
//! - A sampling probability in the `tracestate` (`ot=th:…`) becomes the sample rate.
//! - Totals (cumulative temporality) of counters and histograms become what was added since the last
//!   message; those of up-down counters stay what they are.
//! - Spans without valid ids, and points without a value, are rejected: the answer's partial success says how
//!   many and why.

mod attributes;
mod grpc;
mod http;
mod input;
mod logs;
mod metrics;
mod read;
mod resource;
mod shared;
mod traces;

pub use self::input::{OtlpInput, OtlpOptions};
