//! The processing of items between an input and a destination, in this order: resource attributes become
//! properties, then items are excluded, redacted, shown to Live Metrics, counted by the standard metrics, sampled, and
//! routed.

mod exclude;
mod glob;
mod pipeline;
mod redact;
mod routing;
mod sampling;
mod standard_metrics;
mod text;

pub(crate) use self::pipeline::{Pipeline, Processed};
