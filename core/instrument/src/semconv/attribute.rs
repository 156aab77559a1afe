//! Names of attributes: those of the semantic conventions 1.40, and azmon's own.

use std::iter;

use opentelemetry::{KeyValue, Value};

/// Adds an attribute to a list.
///
/// It builds the attribute in place. `Vec::push` builds it on the stack and copies it at once in larger words than it
/// was written in; the processor stalls on that, 5 ns for each attribute.
#[inline]
pub fn push(list: &mut Vec<KeyValue>, name: &'static str, value: impl Into<Value>) {
    list.extend(iter::once_with(|| KeyValue::new(name, value)));
}

/// How far a cancelled exchange came: [`BEFORE_HEADERS`] or [`IN_BODY`].
///
/// azmon's own: the conventions have no attribute for an exchange that ended early without an error.
pub const CANCELLED: &str = "azmon.cancelled";
/// Value of [`CANCELLED`]: no response head was sent or received.
pub const BEFORE_HEADERS: &str = "before_headers";
/// Value of [`CANCELLED`]: the response's body did not end.
pub const IN_BODY: &str = "in_body";

/// Replaces a value outside a known set.
pub const OTHER: &str = "_OTHER";

/// The address of the client; behind trusted proxies, the one that they forward.
pub const CLIENT_ADDRESS: &str = "client.address";
/// The port of the client.
pub const CLIENT_PORT: &str = "client.port";
/// The error type, from a small set of names.
pub const ERROR_TYPE: &str = "error.type";
/// The size of the request's body in bytes.
pub const HTTP_REQUEST_BODY_SIZE: &str = "http.request.body.size";
/// The method, or `_OTHER`.
pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
/// The original method, if it is not a known one.
pub const HTTP_REQUEST_METHOD_ORIGINAL: &str = "http.request.method_original";
/// How often the request was sent before.
pub const HTTP_REQUEST_RESEND_COUNT: &str = "http.request.resend_count";
/// The size of the response's body in bytes.
pub const HTTP_RESPONSE_BODY_SIZE: &str = "http.response.body.size";
/// The status code, as a number.
pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
/// The matched template of the path.
pub const HTTP_ROUTE: &str = "http.route";
/// The address of the other end of the connection.
pub const NETWORK_PEER_ADDRESS: &str = "network.peer.address";
/// The port of the other end of the connection.
pub const NETWORK_PEER_PORT: &str = "network.peer.port";
/// The protocol: `http`.
pub const NETWORK_PROTOCOL_NAME: &str = "network.protocol.name";
/// The version of the protocol: `1.1`, `2`, `3`.
pub const NETWORK_PROTOCOL_VERSION: &str = "network.protocol.version";
/// The full method of a remote call: `package.Service/Method`.
pub const RPC_METHOD: &str = "rpc.method";
/// The full method as the caller named it, if [`RPC_METHOD`] is `_OTHER`.
pub const RPC_METHOD_ORIGINAL: &str = "rpc.method_original";
/// The status of a remote call, by name: `OK`, `NOT_FOUND`.
pub const RPC_RESPONSE_STATUS_CODE: &str = "rpc.response.status_code";
/// The system of a remote call: `grpc`.
pub const RPC_SYSTEM_NAME: &str = "rpc.system.name";
/// The host of the request.
pub const SERVER_ADDRESS: &str = "server.address";
/// The port of the request.
pub const SERVER_PORT: &str = "server.port";
/// The URL without credentials.
pub const URL_FULL: &str = "url.full";
/// The path.
pub const URL_PATH: &str = "url.path";
/// The query, without its question mark.
pub const URL_QUERY: &str = "url.query";
/// The scheme.
pub const URL_SCHEME: &str = "url.scheme";
/// The template of the path of an outgoing request.
pub const URL_TEMPLATE: &str = "url.template";
/// The header `user-agent`.
pub const USER_AGENT_ORIGINAL: &str = "user_agent.original";
