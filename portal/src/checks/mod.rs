//! Checks that the portal runs: availability tests of URLs, and alert rules over its data.
//!
//! ```text
//! file (TOML) ─► Checks ─► a task each, every `interval` ─► availability: request ─► item `availabilityResults`
//!                                                      └► alert: KQL over `window` ─► state; log and webhook on change
//! ```
//! A check never stops: an unreachable URL is a failed test, a failed query is a state of the rule.

mod alert;
mod availability;
mod config;
mod runner;
mod state;

pub use self::config::{Checks, ParseChecksError};
pub(crate) use self::runner::start;
pub(crate) use self::state::CheckStates;
