//! Settings, resolved once: code beats environment beats default.
//!
//! This module is the only reader of the environment, and reads it through a lookup, so that tests pass
//! their own. The variables are constants of [`environment`].

mod delivery;
pub mod environment;
mod metrics;
mod otlp;
mod resource;
mod sampler;
mod settings;
mod span_limits;

pub(crate) use self::delivery::LiveSettings;
pub(crate) use self::metrics::MetricChoices;
pub(crate) use self::otlp::{OtlpChoice, OtlpEndpoints};
pub(crate) use self::settings::{Choices, Settings};
