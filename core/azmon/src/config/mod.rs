//! Settings, resolved once. Code takes precedence over the environment, and the environment over the default.
//!
//! Only this module reads the environment. It does so through a lookup function, so that tests can supply their own.
//! The variables are constants of [`environment`].

mod delivery;
pub mod environment;
mod metrics;
mod otlp;
mod parse;
mod resource;
mod sampler;
mod setters;
mod settings;
mod span_limits;

pub(crate) use self::delivery::LiveSettings;
pub(crate) use self::metrics::MetricChoices;
pub(crate) use self::otlp::{OtlpChoice, OtlpEndpoints};
pub(crate) use self::setters::{builder_setters, mapping_setters};
pub(crate) use self::settings::{Choices, Lookup, Settings};
