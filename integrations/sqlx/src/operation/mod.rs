//! One call to the database, from its first poll to its end.
//!
//! An [`Operation`] ends once: with the result, with the first error, or when what drives it is dropped. The
//! [`Traced`] future or stream owns it, and runs the driver, and drops it, inside the span's context.

mod active;
mod began;
mod failure;
mod span;
mod traced;

pub(crate) use self::active::{Call, Observe, Operation};
pub(crate) use self::began::Began;
pub(crate) use self::failure::Failure;
pub(crate) use self::traced::Traced;
