//! Cases of KQL: queries over their own data, and what they must give.

mod case;
mod compare;
mod report;

pub use case::{Case, ExpectedColumn};
pub use report::{Outcome, Report};
