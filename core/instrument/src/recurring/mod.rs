//! A histogram for attributes that recur, so that a measurement does not look them up.

#[cfg(not(feature = "bound-instruments"))]
mod disabled;
#[cfg(feature = "bound-instruments")]
mod enabled;

#[cfg(not(feature = "bound-instruments"))]
pub use self::disabled::Recurring;
#[cfg(feature = "bound-instruments")]
pub use self::enabled::Recurring;
