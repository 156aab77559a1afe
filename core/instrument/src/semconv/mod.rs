//! Pure functions for the rules of the [semantic conventions](https://opentelemetry.io/docs/specs/semconv/http/) for
//! HTTP and gRPC: methods, servers, sizes, outcomes.

pub mod attribute;
mod authority;
mod end;
mod error_type;
mod grpc;
mod grpc_method;
mod message;
mod outcome;

pub use self::authority::{Authority, default_port, server};
pub use self::end::HttpEnd;
pub use self::error_type::{error_type, error_type_of};
pub use self::grpc::{GrpcStatus, is_grpc, is_grpc_type};
pub(crate) use self::grpc_method::{RpcMethod, note_grpc_method};
pub use self::grpc_method::{answered_grpc_method, grpc_method, grpc_name};
pub use self::message::{
    KnownMethods, MAX_ANNOUNCED_SIZE, OTHER_METHOD, Side, believed_size, content_length,
    known_method, parse_content_length, protocol_version, span_method,
};
pub use self::outcome::Ending;
pub(crate) use self::outcome::{Outcome, ResponseStatus, outcome};
