//! OTLP, OpenTelemetry's own protocol: over gRPC and HTTP, as protobuf and JSON.
//!
//! Spans, log records and data points are mapped through [`azmon::mapping`] with their resource, so the result
//! equals what azmon's own exporter sends. In addition:
//!
//! - The name of a request is the operation name of the other spans and the log records of its trace and service.
//! - A sampling probability in the `tracestate` (`ot=th:…`) becomes the sample rate.
//! - Cumulative totals of counters and histograms become the increments since the last message; those of up-down
//!   counters stay unchanged.
//! - Spans without valid ids, and points without a value, are rejected. The response's partial success contains
//!   their number and the reason.

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
