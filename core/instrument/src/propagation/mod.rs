//! W3C Trace Context and Baggage: reads and writes `traceparent`, `tracestate` and `baggage`.
//!
//! [`TraceContextPropagator`] is a [`TextMapPropagator`] like the SDK's, for
//! [`global::set_text_map_propagator`]. Code that holds an [`http::HeaderMap`] uses [`RemoteParent`], [`extract`] and
//! [`inject`], which do the same without conversion to strings.
//!
//! The rules are those of [Trace Context level 2](https://www.w3.org/TR/trace-context-2/). They differ from the SDK's
//! propagator where the propagator is wrong or lacks the information:
//!
//! | Subject | Rule |
//! |---|---|
//! | repeated `traceparent` | invalid: a new trace begins |
//! | `traceparent` | exactly 55 bytes in version 00; a higher version may go on after a `-` |
//! | random flag | kept as it came; set for traces that begin here |
//! | several `tracestate` headers | one list, in order |
//! | `tracestate` | one bad member, or more than 32, and the whole list is dropped; repeated keys are inherited |
//! | keys and values of `tracestate` | all that level 2 allows, also those that [`TraceState`] refuses |
//! | empty `tracestate` | not sent |
//!
//! [`TextMapPropagator`]: opentelemetry::propagation::TextMapPropagator
//! [`TraceState`]: opentelemetry::trace::TraceState
//! [`global::set_text_map_propagator`]: opentelemetry::global::set_text_map_propagator

mod baggage;
mod header_buffer;
mod headers;
mod origin;
mod propagator;
mod remote_parent;
#[cfg(test)]
mod tests;
mod traceparent;
mod tracestate;

pub use self::baggage::BaggageKeys;
pub use self::headers::{extract, extract_baggage, inject, inject_with, remove_ids, traceparent};
pub use self::origin::state_for_child;
pub use self::propagator::TraceContextPropagator;
pub use self::remote_parent::RemoteParent;

use http::HeaderName;

/// The header `traceparent`.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header `tracestate`.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// The header `baggage`.
pub const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
