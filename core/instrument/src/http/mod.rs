//! HTTP as the [stable semantic conventions](https://opentelemetry.io/docs/specs/semconv/http/) describe it:
//! the parts that servers and clients share.
//!
//! An integration starts an [`Exchange`] for each request, tells it of the response, and ends it once.

mod bound;
mod exchange;
mod header_capture;
mod labels;
mod late_call;
mod metrics;
mod outgoing;
mod outgoing_request;
mod providers;
mod redaction;

pub use self::exchange::{Exchange, NewExchange};
pub use self::header_capture::{HeaderCapture, HeaderOwner};
pub use self::labels::Labels;
pub use self::late_call::LateCall;
pub use self::metrics::HttpMetrics;
pub use self::outgoing::{ResendCount, UrlTemplate};
pub use self::outgoing_request::OutgoingRequest;
pub use self::providers::{Providers, Resolved};
pub use self::redaction::{REDACTED, Redaction};
pub use crate::semconv::{
    Authority, Ending, GrpcStatus, OTHER_METHOD, Side, attribute, content_length, default_port,
    error_type, error_type_of, grpc_method, is_grpc, is_grpc_type, known_method,
    parse_content_length, protocol_version, server, span_method,
};
