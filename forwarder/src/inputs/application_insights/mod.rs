//! Application Insights' native items: as JSON over HTTP, `POST /v2.1/track`, and over gRPC, like LocalForwarder.
//!
//! Items are forwarded unchanged, with their own instrumentation keys, sample rates and contexts.

mod contracts;
mod grpc;
mod input;
mod shared;
mod track;

pub use self::input::{ApplicationInsightsInput, ApplicationInsightsOptions};
