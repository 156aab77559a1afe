//! Fixtures of the end-to-end tests.

pub mod replay;
pub mod spans;
