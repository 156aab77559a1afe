use azmon::instrument::http::{is_grpc_type, parse_content_length};
use azmon::instrument::propagation::{BAGGAGE, RemoteParent, TRACEPARENT, TRACESTATE};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue};

/// The headers of a request that the layer reads, found in one pass: looking each one up costs more.
#[derive(Debug, Default)]
pub(super) struct ServerHeaders<'a> {
    pub(super) content_length: Option<u64>,
    pub(super) has_baggage: bool,
    pub(super) host: Option<&'a HeaderValue>,
    pub(super) is_grpc: bool,
    pub(super) user_agent: Option<&'a HeaderValue>,
    has_tracestate: bool,
    traceparent: Option<&'a HeaderValue>,
    /// More than one `traceparent` is none.
    is_repeated: bool,
}

impl<'a> ServerHeaders<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut known = Self::default();
        for (name, value) in headers {
            if name == HOST {
                known.host.get_or_insert(value);
            } else if name == USER_AGENT {
                known.user_agent.get_or_insert(value);
            } else if name == CONTENT_TYPE {
                known.is_grpc = is_grpc_type(value);
            } else if name == CONTENT_LENGTH {
                known.content_length = parse_content_length(value);
            } else if name == TRACEPARENT {
                known.is_repeated = known.traceparent.replace(value).is_some();
            } else if name == TRACESTATE {
                known.has_tracestate = true;
            } else if name == BAGGAGE {
                known.has_baggage = true;
            }
        }
        known
    }

    /// The caller's span; `headers` are those that these were found in.
    pub(super) fn remote_parent(&self, headers: &HeaderMap) -> Option<RemoteParent> {
        let parent = self.traceparent.filter(|_| !self.is_repeated)?;
        let states = self.has_tracestate.then(|| headers.get_all(TRACESTATE));
        RemoteParent::from_values(parent, states)
    }
}
