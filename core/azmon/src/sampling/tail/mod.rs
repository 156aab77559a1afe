//! Decisions that wait until the first span of a trace in this process, its local root, ends.
//!
//! Invariants:
//! - A failed or slow local root is always kept and counts as one. The same holds for the items of its trace that wait
//!   at that time or end later.
//! - The rate decides about all other items: when the local root ends successfully, or earlier if the items cannot wait
//!   any longer, because the limits are reached, the time is over, or the process ends. A local root that is already
//!   slow is kept before it ends.
//! - The sum of item counts is correct in expectation in both cases: the reason why a trace is decided early does not
//!   depend on its sampling decision.
//! - A trace lives in one of [`SHARDS`] maps. The lock of a map is held for one look-up and one push; released items
//!   are sent after the lock is free.

mod buffer;
mod limits;
mod rules;
#[cfg(test)]
mod tests;
mod trace;

pub(crate) use self::buffer::{DecisionBuffer, EndedSpan};
pub use self::limits::DecisionLimits;
pub(crate) use self::rules::KeepRules;
pub(crate) use self::trace::{Held, Released, TailDecision};

/// A power of two, and more than the threads that most machines run.
const SHARDS: usize = 64;
