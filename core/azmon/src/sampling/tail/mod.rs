//! Decisions that wait until the first span of a trace in this process, its local root, ends.
//!
//! Invariants:
//! - A failed or slow local root is always kept, and stands for itself alone. So does everything of its
//!   trace that waits here then or ends later.
//! - Everything else is decided by the rate, when its local root ends well, or before that when it must not
//!   wait any longer: there is no room, the time is over, or the process ends. A local root that is
//!   already slow need not end to be kept.
//! - Either way the sum of item counts is right in expectation: whether a trace must leave early does not
//!   depend on how it would be sampled.
//! - A trace lives in one of [`SHARDS`] maps, each behind a lock that is held for one look-up and one push;
//!   what is released is sent after the lock is free.

mod buffer;
mod limits;
mod rules;
#[cfg(test)]
mod tests;
mod trace;

pub(crate) use self::buffer::{DecisionBuffer, Ended};
pub use self::limits::DecisionLimits;
pub(crate) use self::rules::KeepRules;
pub(crate) use self::trace::{Held, Released, Verdict};

/// A power of two, and more than the threads that most machines run.
const SHARDS: usize = 64;
