use azmon_instrument::http::{is_grpc_type, parse_content_length};
use azmon_instrument::propagation::{RemoteParent, TRACESTATE};
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
            match name.as_str() {
                "host" => _ = known.host.get_or_insert(value),
                "user-agent" => _ = known.user_agent.get_or_insert(value),
                "content-type" => known.is_grpc = is_grpc_type(value),
                "content-length" => known.content_length = parse_content_length(value),
                "traceparent" => known.is_repeated = known.traceparent.replace(value).is_some(),
                "tracestate" => known.has_tracestate = true,
                "baggage" => known.has_baggage = true,
                _ => {}
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
