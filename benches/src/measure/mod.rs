//! Runs cases in separate processes, and measures them.

mod area;
mod callgrind;
mod child;
mod clock;
mod load;
mod plan;
mod process;
mod protocol;
pub(crate) mod service;
mod workload;

pub use area::{CaseResult, measure, smoke};
pub use callgrind::Callgrind;
pub(crate) use child::serve;
pub use load::Load;
pub use plan::Plan;
pub use process::Programs;
pub use protocol::{Allocations, Figure};
pub use workload::Workload;

/// Counts the allocations of a function on the calling thread.
pub type Count = fn(&mut dyn FnMut()) -> Allocations;
