use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::message::Side;

/// A status of gRPC.
///
/// The [conventions for gRPC](https://opentelemetry.io/docs/specs/semconv/rpc/grpc/) define the names, and which
/// statuses are errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrpcStatus(u8);

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl GrpcStatus {
    /// Reads the status from headers or trailers, if they contain one. An undefined code is `UNKNOWN`.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
        const UNKNOWN: u8 = 2;
        let code = headers.get(GRPC_STATUS)?.to_str().ok();
        let code = code.and_then(|code| code.parse().ok());
        Some(Self(
            code.filter(|code| usize::from(*code) < NAMES.len())
                .unwrap_or(UNKNOWN),
        ))
    }

    /// The name: `OK`, `NOT_FOUND`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }

    /// Whether the service does not implement the method.
    #[must_use]
    pub fn is_unimplemented(self) -> bool {
        const UNIMPLEMENTED: u8 = 12;
        self.0 == UNIMPLEMENTED
    }

    /// Whether the status is an error of `side`: for a client every status except `OK`, for a server those that are its
    /// fault.
    #[must_use]
    pub fn is_error(self, side: Side) -> bool {
        match side {
            Side::Client => self.0 != 0,
            Side::Server => matches!(self.0, 2 | 4 | 12..=15),
        }
    }
}

/// Whether a message is gRPC: its content type is `application/grpc`, with or without a suffix.
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(is_grpc_type)
}

/// [`is_grpc`] for a content type.
#[must_use]
pub fn is_grpc_type(content_type: &HeaderValue) -> bool {
    content_type
        .as_bytes()
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest, [] | [b'+' | b';', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(value: &str) -> Option<GrpcStatus> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", value.parse().unwrap());
        GrpcStatus::from_headers(&headers)
    }

    #[test]
    fn servers_err_with_six_codes_and_clients_with_all_but_one() {
        for code in 0..=16 {
            let status = status(&code.to_string()).unwrap();
            assert_eq!(
                status.is_error(Side::Server),
                [2, 4, 12, 13, 14, 15].contains(&code)
            );
            assert_eq!(status.is_error(Side::Client), code != 0);
        }
    }

    #[test]
    fn a_status_has_its_name() {
        assert_eq!(status("5").unwrap().name(), "NOT_FOUND");
        assert_eq!(status("17").unwrap().name(), "UNKNOWN");
        assert_eq!(status("-1").unwrap().name(), "UNKNOWN");
        assert_eq!(GrpcStatus::from_headers(&HeaderMap::new()), None);
    }

    #[test]
    fn grpc_is_told_by_its_content_type() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc; charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
            assert_eq!(is_grpc(&headers), expected, "{content_type}");
        }
    }
}
