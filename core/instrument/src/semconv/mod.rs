//! Pure rules of the [semantic conventions](https://opentelemetry.io/docs/specs/semconv/http/) for HTTP and gRPC:
//! methods, servers, sizes, outcomes.

pub mod attribute;
mod authority;
mod body_size;
mod ended;
mod error_type;
mod grpc;
mod method;
mod outcome;
mod version;

pub use self::authority::{Authority, default_port, server};
pub use self::body_size::{content_length, parse_content_length};
pub use self::ended::Ended;
pub use self::error_type::{error_type, error_type_of};
pub use self::grpc::{GrpcStatus, grpc_method, is_grpc, is_grpc_type};
pub use self::method::{OTHER_METHOD, known_method, span_method};
pub(crate) use self::outcome::{Answer, outcome};
pub use self::outcome::{Ending, Side};
pub use self::version::protocol_version;
