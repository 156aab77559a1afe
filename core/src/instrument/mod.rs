//! What the integrations share: propagation, exclusions, attributes, and the operation's name.

mod operation;
pub mod propagation;

pub use self::operation::OperationName;
