//! The exporters that send OTLP in addition to Azure Monitor.

#[cfg_attr(feature = "otlp", path = "enabled.rs")]
#[cfg_attr(not(feature = "otlp"), path = "disabled.rs")]
mod switch;

pub(super) use self::switch::add;
