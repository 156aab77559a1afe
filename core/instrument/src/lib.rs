//! The foundation of azmon's instrumentation: HTTP conventions, W3C propagation, exclusions.
//!
//! It depends on OpenTelemetry's API alone: no SDK, no HTTP client. `azmon-tower`, `azmon-reqwest` and `azmon-sqlx` are
//! built on it, and work with any OpenTelemetry backend. Applications use it through these crates, or as
//! `azmon::instrument`.
//!
//! | Module | Content |
//! |---|---|
//! | [`semconv`] | attribute names; pure rules of HTTP and gRPC |
//! | [`propagation`] | W3C headers to a `Context` and back |
//! | [`exclude`] | which requests and calls leave no telemetry |
//! | [`http`] | one HTTP request or call, from its start to its end |
//! | [`exception`](ErrorChain) | an error with its causes |

// The setters that other crates expand link to their documentation by this name.
extern crate self as azmon_instrument;

#[doc(hidden)]
pub mod direct;
mod exception;
pub mod exclude;
mod hook;
pub mod http;
mod identity;
mod intern;
mod lookup;
mod operation;
pub mod propagation;
mod recurring;
mod sample_rate;
mod secrets;
pub mod semconv;

#[doc(hidden)]
pub use self::direct::{
    DeferredAttributes, NewRecord, NewSpan, RecordedBy, SpanContent, SpanRecord, StartSpan,
    StartedSpan,
};
pub use self::exception::ErrorChain;
pub use self::hook::Hook;
pub use self::identity::Identity;
#[doc(hidden)]
pub use self::intern::{
    RouteName, RouteNames, interned, interned_address, interned_path, text_hash,
};
#[doc(hidden)]
pub use self::lookup::{
    Loan, Lookup, global_meter_provider, global_tracer, installed_tracer, providers_replaced,
};
pub use self::operation::OperationName;
#[doc(hidden)]
pub use self::recurring::Recurring;
pub use self::sample_rate::SampleRate;
