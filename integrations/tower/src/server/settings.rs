use std::borrow::Cow;
use std::net::SocketAddr;

use azmon_instrument::Hook;
use azmon_instrument::http::{Providers, Settings, Side};
use opentelemetry::KeyValue;

use super::forwarded::TrustedProxies;
use crate::{RequestHead, ResponseHead, instrumentation_scope};

type OnRequest = dyn Fn(&RequestHead<'_>, &mut Vec<KeyValue>) + Send + Sync;
type OnResponse = dyn Fn(&ResponseHead<'_>, &mut Vec<KeyValue>) + Send + Sync;
type PeerAddress = dyn Fn(&RequestHead<'_>) -> Option<SocketAddr> + Send + Sync;
type RouteHook = dyn for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync;
type SpanName = dyn Fn(&RequestHead<'_>, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync;

/// The settings of a server, shared by the clones of a service.
#[derive(Debug, Clone)]
pub(super) struct ServerSettings {
    pub(super) http: Settings,
    pub(super) providers: Providers,
    pub(super) excludes_children: bool,
    pub(super) on_request: Hook<OnRequest>,
    pub(super) on_response: Hook<OnResponse>,
    pub(super) peer_address: Hook<PeerAddress>,
    pub(super) route: Hook<RouteHook>,
    pub(super) scheme: &'static str,
    pub(super) sends_server_timing: bool,
    pub(super) sends_traceresponse: bool,
    pub(super) span_name: Hook<SpanName>,
    pub(super) trusted_proxies: Option<TrustedProxies>,
    pub(super) trusts_remote_parent: bool,
}

impl ServerSettings {
    pub(super) fn new(http: Settings) -> Self {
        Self {
            http,
            providers: Providers::new(instrumentation_scope(), Side::Server),
            excludes_children: true,
            on_request: Hook::default(),
            on_response: Hook::default(),
            peer_address: Hook::default(),
            route: Hook::default(),
            scheme: "http",
            sends_server_timing: false,
            sends_traceresponse: false,
            span_name: Hook::default(),
            trusted_proxies: None,
            trusts_remote_parent: true,
        }
    }

    /// Whether the application adds attributes at the start of a request.
    pub(super) fn adds_attributes(&self) -> bool {
        self.on_request.get().is_some() || !self.http.request_headers.is_empty()
    }

    /// Whether responses carry the trace id.
    pub(super) fn sends_trace_id(&self) -> bool {
        self.sends_traceresponse || self.sends_server_timing
    }
}
