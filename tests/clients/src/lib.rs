//! Clients of other makers, with which tests send to a receiver or query it.

#![expect(clippy::unwrap_used, reason = "a failed client fails its test")]

pub mod otlp;
pub mod python;
