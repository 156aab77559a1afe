//! Instruments bound to recurring labels, so that a measurement does not look up each label.

#[cfg(feature = "bound-instruments")]
mod chain;
#[cfg(not(feature = "bound-instruments"))]
mod disabled;
#[cfg(feature = "bound-instruments")]
mod enabled;

#[cfg(not(feature = "bound-instruments"))]
pub(super) use self::disabled::{Bound, Group};
#[cfg(feature = "bound-instruments")]
pub(super) use self::enabled::{Bound, Group};
