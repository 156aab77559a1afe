//! Fixtures of the end-to-end tests.

pub mod kql;
pub mod logs;
pub mod replay;
pub mod spans;

/// The program in the README, which is compiled as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
