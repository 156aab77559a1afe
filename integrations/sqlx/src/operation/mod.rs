//! One call to the database, from its first poll to its end.
//!
//! An [`Operation`] ends once: with its result, with the first error, or on drop. The [`Traced`] future or stream
//! owns the operation, and polls and drops the driver's future inside the span's context.

mod active;
mod began;
mod failure;
mod span;
mod traced;

pub(crate) use self::active::{Call, Observe, Operation};
pub(crate) use self::began::Began;
pub(crate) use self::failure::Failure;
pub(crate) use self::traced::Traced;
