//! The parts of HTTP instrumentation that servers and clients share, by the [stable semantic
//! conventions](https://opentelemetry.io/docs/specs/semconv/http/).
//!
//! An integration starts an [`Exchange`] for each request, passes it the response, and ends it once.

mod bound;
mod client;
mod end_rules;
mod exchange;
mod head;
mod header_capture;
mod instruments;
mod labels;
mod metrics;
mod outgoing_request;
mod providers;
mod scope;
mod settings;
mod url_template;

pub use self::client::ResendCount;
#[doc(hidden)]
pub use self::client::{BegunCall, OutgoingCall, begin};
pub use self::end_rules::{EndRules, EndedExchange};
#[doc(hidden)]
pub use self::exchange::{Exchange, NewExchange, Rest};
pub use self::head::{RequestHead, ResponseHead};
#[doc(hidden)]
pub use self::header_capture::{HeaderCapture, HeaderOwner};
#[doc(hidden)]
pub use self::labels::Labels;
#[doc(hidden)]
pub use self::metrics::HttpMetrics;
#[doc(hidden)]
pub use self::outgoing_request::OutgoingRequest;
#[doc(hidden)]
pub use self::providers::{ProviderChoice, Providers, Resolved};
#[doc(hidden)]
pub use self::scope::{Entered, Scope, is_served};
pub use self::settings::{Excluded, KNOWN_METHODS, NoPropagation, PropagationRules, Settings};
pub use self::url_template::UrlTemplate;
#[doc(hidden)]
pub use self::url_template::UrlTemplates;
pub use crate::secrets::{REDACTED, Redaction};
pub use crate::semconv::{
    Authority, Ending, GrpcStatus, HttpEnd, KnownMethods, OTHER_METHOD, Side, answered_grpc_method,
    attribute, believed_size, content_length, default_port, error_type, error_type_of, grpc_method,
    grpc_name, is_grpc, is_grpc_type, known_method, parse_content_length, protocol_version, server,
    span_method,
};
#[doc(hidden)]
pub use opentelemetry::{
    KeyValue,
    metrics::MeterProvider,
    trace::{Tracer, TracerProvider},
};
