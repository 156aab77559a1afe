use std::borrow::Cow;
use std::net::SocketAddr;

use azmon_instrument::direct::CountedFacts;
use azmon_instrument::http::{
    Labels, OTHER_METHOD, answered_grpc_method, attribute, default_port, grpc_method, is_grpc_type,
    parse_content_length, protocol_version, span_method,
};
use azmon_instrument::propagation::{RemoteParent, TRACESTATE};
use azmon_instrument::{NewRecord, SpanRecord};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request};
use opentelemetry::{KeyValue, StringValue};

use super::attributes::{BorrowedText, InlineText, ServerAttributes, USUAL_ATTRIBUTES};
use super::forwarded::{self, Forwarded};
use super::route::Name;
use super::settings::ServerSettings;
use crate::RequestHead;

/// A server request, in the terms of the semantic conventions.
#[derive(Debug)]
pub(super) struct ServerRequest<'a> {
    pub(super) head: RequestHead<'a>,
    pub(super) headers: ServerHeaders<'a>,
    forwarded: Forwarded<'a>,
    method: Option<&'static str>,
    scheme: &'static str,
    rpc: Option<Rpc<'a>>,
}

/// A gRPC call, as its client names it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rpc<'a> {
    /// The path is not a gRPC path.
    Nameless,
    /// The service has not answered this method yet.
    Claimed(&'a str),
    /// The service has answered this method before.
    Answered(&'static str),
}

impl<'a> ServerRequest<'a> {
    pub(super) fn new(settings: &ServerSettings, head: RequestHead<'a>) -> Self {
        let headers = ServerHeaders::of(head.headers());
        let forwarded = Forwarded::of(head.headers(), settings.trusted_proxies);
        let scheme = forwarded
            .scheme
            .or_else(|| head.uri().scheme_str().and_then(forwarded::scheme))
            .unwrap_or(settings.scheme);
        Self {
            head,
            forwarded,
            method: settings.http.known_methods.get(head.method()),
            scheme,
            rpc: headers.is_grpc.then(|| Rpc::of(head.uri().path())),
            headers,
        }
    }

    pub(super) fn is_excluded(&self, settings: &ServerSettings) -> bool {
        let exclusions = &settings.http.exclusions;
        let port = default_port(self.scheme);
        exclusions.concern_headers()
            && exclusions.excludes_caller(self.authority(), port, self.user_agent())
    }

    /// The host, with its port if the request names one; empty if it names no host.
    fn authority(&self) -> &'a str {
        self.forwarded
            .host
            .or_else(|| {
                let authority = self.head.uri().authority();
                authority.map(http::uri::Authority::as_str)
            })
            .or_else(|| text(self.headers.host?))
            .unwrap_or_default()
    }

    fn user_agent(&self) -> Option<&'a str> {
        self.headers.user_agent.and_then(text)
    }

    pub(super) fn span_method(&self) -> &'static str {
        span_method(self.method)
    }

    /// The gRPC method that the service has not answered yet.
    pub(super) fn claimed_rpc(&self) -> Option<&'a str> {
        match self.rpc {
            Some(Rpc::Claimed(method)) => Some(method),
            Some(Rpc::Nameless | Rpc::Answered(_)) | None => None,
        }
    }

    /// The gRPC method, if the service has answered it before.
    pub(super) fn answered_rpc(&self) -> Option<&'static str> {
        match self.rpc {
            Some(Rpc::Answered(method)) => Some(method),
            Some(Rpc::Nameless | Rpc::Claimed(_)) | None => None,
        }
    }

    pub(super) fn name(&self, settings: &ServerSettings) -> Name {
        let mut name = match self.route(settings) {
            Some(route) => Name::of_route(self.span_method(), &route),
            None => Name::of_method(self.span_method()),
        };
        if let Some(method) = self.answered_rpc() {
            name.name = Cow::Borrowed(method);
        }
        if let Some(hook) = settings.span_name.get()
            && let Some(own) = hook(&self.head, name.route.as_ref().map(StringValue::as_str))
        {
            name.name = own;
        }
        name
    }

    pub(super) fn route(&self, settings: &ServerSettings) -> Option<Cow<'a, str>> {
        match settings.route.get() {
            Some(hook) => hook(&self.head),
            None => matched_path(&self.head).map(Cow::Borrowed),
        }
    }

    pub(super) fn labels(&self, route: Option<StringValue>) -> Labels<'static> {
        Labels {
            method: self.method.unwrap_or(OTHER_METHOD),
            scheme: self.scheme,
            authority: None,
            route: route.map(|route| (attribute::HTTP_ROUTE, route)),
        }
    }

    /// The attributes.
    pub(super) fn attributes(&self, settings: &ServerSettings, name: &Name) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(USUAL_ATTRIBUTES);
        let all = self.all(settings, name, self.texts());
        all.write(&mut attributes);
        let headers = &settings.http.request_headers;
        attributes.extend(headers.attributes(self.head.headers()));
        if let Some(hook) = settings.on_request.get() {
            hook(&self.head, &mut attributes);
        }
        attributes
    }

    /// A span record with the attributes. If no sampler or hook reads or adds to them, they are written later.
    pub(super) fn record(
        &self,
        settings: &ServerSettings,
        name: &Name,
        new: NewRecord,
    ) -> Box<SpanRecord> {
        let texts = self.texts();
        if settings.adds_attributes() || !InlineText::has_room_for(&texts) {
            return new.with(self.attributes(settings, name));
        }
        let mut record = new.with_deferred(|| self.all(settings, name, InlineText::default()));
        record.deferred_mut().texts.copy(&texts);
        record
    }

    /// The facts by which the request is counted, unless it is a call of gRPC or the application adds attributes.
    pub(super) fn counted(&self, settings: &ServerSettings) -> Option<CountedFacts<'a>> {
        let is_plain = self.rpc.is_none() && !settings.adds_attributes();
        is_plain.then_some(CountedFacts {
            user_agent: self.user_agent(),
        })
    }

    #[inline]
    fn all<T>(&self, settings: &ServerSettings, name: &Name, texts: T) -> ServerAttributes<T> {
        ServerAttributes {
            method: self.method.unwrap_or(OTHER_METHOD),
            scheme: self.scheme,
            route: name.route.clone(),
            client: self.forwarded.client,
            peer: peer_address(settings, &self.head),
            version: protocol_version(self.head.version()),
            size: self.headers.content_length,
            redaction: settings.http.redaction.clone(),
            texts,
        }
    }

    fn texts(&self) -> BorrowedText<'a> {
        let uri = self.head.uri();
        let original = self.head.method().as_str();
        BorrowedText {
            path: uri.path(),
            query: uri.query(),
            authority: self.authority(),
            user_agent: self.user_agent(),
            original_method: self.method.is_none().then_some(original),
            is_grpc: self.rpc.is_some(),
            rpc_method: self.answered_rpc(),
        }
    }
}

impl<'a> Rpc<'a> {
    fn of(path: &'a str) -> Self {
        match grpc_method(path) {
            None => Self::Nameless,
            Some(method) => {
                answered_grpc_method(method).map_or(Self::Claimed(method), Self::Answered)
            }
        }
    }
}

/// The request headers that the layer reads, found in one pass, which costs less than a look-up for each.
#[derive(Debug, Default)]
pub(super) struct ServerHeaders<'a> {
    pub(super) content_length: Option<u64>,
    pub(super) has_baggage: bool,
    host: Option<&'a HeaderValue>,
    is_grpc: bool,
    user_agent: Option<&'a HeaderValue>,
    has_tracestate: bool,
    traceparent: Option<&'a HeaderValue>,
    /// More than one `traceparent` is invalid, and counts as none.
    is_repeated: bool,
}

impl<'a> ServerHeaders<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut known = Self::default();
        for (name, value) in headers {
            // A standard name is a number, which is compared faster than a text.
            if *name == HOST {
                known.host.get_or_insert(value);
            } else if *name == USER_AGENT {
                known.user_agent.get_or_insert(value);
            } else if *name == CONTENT_TYPE {
                known.is_grpc = is_grpc_type(value);
            } else if *name == CONTENT_LENGTH {
                known.content_length = parse_content_length(value);
            } else {
                match name.as_str() {
                    "traceparent" => known.is_repeated = known.traceparent.replace(value).is_some(),
                    "tracestate" => known.has_tracestate = true,
                    "baggage" => known.has_baggage = true,
                    _ => {}
                }
            }
        }
        known
    }

    /// The caller's span. `headers` are the headers of the same request.
    pub(super) fn remote_parent(&self, headers: &HeaderMap) -> Option<RemoteParent> {
        let parent = self.traceparent.filter(|_| !self.is_repeated)?;
        let states = self.has_tracestate.then(|| headers.get_all(TRACESTATE));
        RemoteParent::from_values(parent, states)
    }
}

/// The value as UTF-8. Accepts more than `HeaderValue::to_str`, and is faster.
fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok()
}

/// The peer address, from the hook or from the extensions of axum or tonic.
fn peer_address(settings: &ServerSettings, head: &RequestHead<'_>) -> Option<SocketAddr> {
    match settings.peer_address.get() {
        Some(hook) => hook(head),
        None => axum_peer(head).or_else(|| tonic_peer(head)),
    }
}

/// The request head with the target that the client sent: axum's nested routers strip a prefix from it.
#[cfg(feature = "axum")]
pub(super) fn head<B>(request: &Request<B>) -> RequestHead<'_> {
    use axum::extract::OriginalUri;

    let head = RequestHead::of(request);
    match request.extensions().get::<OriginalUri>() {
        Some(OriginalUri(uri)) => head.with_uri(uri),
        None => head,
    }
}

#[cfg(not(feature = "axum"))]
pub(super) fn head<B>(request: &Request<B>) -> RequestHead<'_> {
    RequestHead::of(request)
}

#[cfg(feature = "axum")]
fn matched_path<'a>(head: &RequestHead<'a>) -> Option<&'a str> {
    head.extensions()
        .get::<axum::extract::MatchedPath>()
        .map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_path<'a>(_: &RequestHead<'a>) -> Option<&'a str> {
    None
}

#[cfg(feature = "axum")]
fn axum_peer(head: &RequestHead<'_>) -> Option<SocketAddr> {
    use axum::extract::ConnectInfo;

    let info = head.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(info.0)
}

#[cfg(not(feature = "axum"))]
fn axum_peer(_: &RequestHead<'_>) -> Option<SocketAddr> {
    None
}

#[cfg(feature = "tonic")]
fn tonic_peer(head: &RequestHead<'_>) -> Option<SocketAddr> {
    use tonic::transport::server::TcpConnectInfo;

    head.extensions().get::<TcpConnectInfo>()?.remote_addr()
}

#[cfg(not(feature = "tonic"))]
fn tonic_peer(_: &RequestHead<'_>) -> Option<SocketAddr> {
    None
}
