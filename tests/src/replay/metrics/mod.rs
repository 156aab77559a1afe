//! Replays recorded metrics: measures them again with the SDK's instruments, and compares the resulting
//! envelopes.

mod input;
mod judge;
mod measure;
mod rules;

pub use self::judge::{Verdict, judge};
pub use self::measure::map;
