//! Checks that the portal runs by itself: availability tests of URLs, and alert rules over what it holds.
//!
//! ```text
//! file (TOML) ─► Checks ─► a task each, every `interval` ─► availability: request ─► item `availabilityResults`
//!                                                      └► alert: KQL over `window` ─► state; log and webhook on change
//! ```
//! A check never stops: a URL that does not answer is a failed test, a query that fails is the rule's state.

mod alert;
mod availability;
mod config;
mod runner;
mod state;

pub use self::config::{Checks, ParseChecksError};
pub(crate) use self::runner::start;
pub(crate) use self::state::CheckStates;
