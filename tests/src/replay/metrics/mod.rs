//! Replays recorded metrics: measures them anew with the SDK's instruments, and compares what becomes of
//! the collection.
//!
//! The SDK dates a collection by its own clock. Where ours has a time between the beginning and the end
//! of the replay, `<export time>` stands for it, as in the recording.

mod input;
mod judge;
mod measure;
mod rules;

pub use self::judge::{Verdict, judge};
pub use self::measure::map;
