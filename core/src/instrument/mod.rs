//! What the integrations share: propagation, exclusions, attributes, and the operation's name.

pub mod exclude;
pub mod http;
mod operation;
pub mod propagation;

pub use self::operation::OperationName;
