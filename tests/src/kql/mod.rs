//! KQL cases: queries over their own data, with the expected answers.

mod case;
mod compare;
mod report;

pub use case::{Case, ExpectedColumn};
pub use report::{Outcome, Report};
