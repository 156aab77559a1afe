use opentelemetry::KeyValue;

use crate::semconv::HttpEnd;

/// A request or a call that has ended, of which no attribute has been written.
#[derive(Debug, Clone)]
pub struct Ended<'a, Facts> {
    /// The facts at the start.
    pub facts: Facts,
    /// Attributes that were set between start and end.
    pub attributes: &'a [KeyValue],
    /// The HTTP version that a client learns from the response.
    pub version: Option<&'static str>,
    /// The status code of the response.
    pub status: Option<u16>,
    /// The size of the response's body in bytes.
    pub response_size: Option<i64>,
    /// How far it came, if it was cancelled.
    pub cancelled: Option<&'static str>,
    /// The type of its error.
    pub error_type: Option<&'a str>,
}

impl<'a, Facts> Ended<'a, Facts> {
    /// The most attributes that are written of a request or a call and its response, besides those that were set.
    pub(super) const MOST_ATTRIBUTES: usize = 20;

    /// `None` if the response is one of gRPC.
    pub(super) fn new(facts: Facts, attributes: &'a [KeyValue], end: &'a HttpEnd) -> Option<Self> {
        if end.response.grpc.is_some() || end.rpc_method.is_some() {
            return None;
        }
        Some(Self {
            facts,
            attributes,
            version: end.version,
            status: end.response.http.map(|status| status.as_u16()),
            response_size: end.size(),
            cancelled: end.outcome.cancelled,
            error_type: end.outcome.error_type.as_ref().map(|name| name.as_str()),
        })
    }
}
