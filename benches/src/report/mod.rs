//! Tables, verdicts, and the files that contain them.

mod area;
mod comparison;
mod files;
#[cfg(test)]
mod fixtures;
mod headlines;
mod lock;
mod machine;
mod number;
mod results;
mod statistics;
mod table;
mod verdict;

pub use area::AreaReport;
pub use comparison::Row;
pub use files::write;
pub use lock::{Lock, Peers};
pub use results::Report;
