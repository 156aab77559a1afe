//! Sampling overrides: rules with their own rate for some telemetry.

mod error;
mod rule;
mod value;

pub use self::error::SamplingOverrideError;
pub(super) use self::rule::Overrides;
pub use self::rule::SamplingOverride;
