//! Application Insights for Rust.

pub mod envelope;
pub mod instrument;
pub mod mapping;
