use azmon_instrument::exclude::Exclusions;
use azmon_instrument::http::{HeaderCapture, Redaction, Side};
use azmon_instrument::{Hook, Providers};

use crate::hooks;
use crate::instrumentation_scope;

/// How a server is recorded. Shared by the clones of a service.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) cancellation_is_error: bool,
    pub(crate) exclusions: Exclusions,
    pub(crate) on_request: Hook<hooks::OnRequest>,
    pub(crate) on_response: Hook<hooks::OnResponse>,
    pub(crate) peer_address: Hook<hooks::PeerAddress>,
    pub(crate) providers: Providers,
    pub(crate) redaction: Redaction,
    pub(crate) request_headers: HeaderCapture,
    pub(crate) response_headers: HeaderCapture,
    pub(crate) route: Hook<hooks::Route>,
    pub(crate) scheme: &'static str,
    pub(crate) sends_server_timing: bool,
    pub(crate) sends_traceresponse: bool,
    pub(crate) span_name: Hook<hooks::SpanName>,
    pub(crate) suppresses_excluded: bool,
    pub(crate) trusts_forwarded: bool,
    pub(crate) trusts_remote_parent: bool,
}

impl Settings {
    pub(crate) fn new(exclusions: Exclusions) -> Self {
        Self {
            cancellation_is_error: false,
            exclusions,
            on_request: Hook::default(),
            on_response: Hook::default(),
            peer_address: Hook::default(),
            providers: Providers::new(instrumentation_scope(), Side::Server),
            redaction: Redaction::default(),
            request_headers: HeaderCapture::default(),
            response_headers: HeaderCapture::default(),
            route: Hook::default(),
            scheme: "http",
            sends_server_timing: false,
            sends_traceresponse: false,
            span_name: Hook::default(),
            suppresses_excluded: true,
            trusts_forwarded: false,
            trusts_remote_parent: true,
        }
    }

    /// Whether the caller is told the id of the trace.
    pub(crate) fn sends_trace_id(&self) -> bool {
        self.sends_traceresponse || self.sends_server_timing
    }
}
