//! An error with its causes, as attributes of a log record.

mod chain;
mod report;
mod type_name;

pub use self::chain::ErrorChain;
