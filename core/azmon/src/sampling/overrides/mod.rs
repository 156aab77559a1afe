//! Rules that give some telemetry a rate of its own.

mod error;
mod rule;
mod value;

pub use self::error::SamplingOverrideError;
pub(super) use self::rule::Overrides;
pub use self::rule::SamplingOverride;
