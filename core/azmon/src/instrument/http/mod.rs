//! HTTP as the [stable semantic conventions](https://opentelemetry.io/docs/specs/semconv/http/) describe it:
//! the parts that servers and clients share.
//!
//! An integration starts an [`Exchange`] for each request, tells it of the response, and ends it once.

pub mod attribute;
mod authority;
mod body_size;
mod bound;
mod ended;
mod error_type;
mod exchange;
mod grpc;
mod header_capture;
mod labels;
mod late_call;
mod method;
mod metrics;
mod outcome;
mod outgoing;
mod outgoing_request;
mod redaction;
mod version;

pub use self::authority::{Authority, default_port, server};
pub use self::body_size::{content_length, parse_content_length};
pub use self::error_type::{error_type, error_type_of};
pub use self::exchange::{Exchange, NewExchange};
pub use self::grpc::{GrpcStatus, grpc_method, is_grpc, is_grpc_type};
pub use self::header_capture::{HeaderCapture, HeaderOwner};
pub use self::labels::Labels;
pub use self::late_call::LateCall;
pub use self::method::{OTHER_METHOD, known_method, span_method};
pub use self::metrics::HttpMetrics;
pub use self::outcome::{Ending, Side};
pub use self::outgoing::{ResendCount, UrlTemplate};
pub use self::outgoing_request::OutgoingRequest;
pub use self::redaction::{REDACTED, Redaction};
pub use self::version::protocol_version;

pub(crate) use self::ended::Ended;
