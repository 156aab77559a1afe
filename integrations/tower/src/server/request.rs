use std::borrow::Cow;
use std::net::SocketAddr;

use azmon::instrument::exclude::IncomingRequest;
use azmon::instrument::http::{
    Authority, Labels, OTHER_METHOD, attribute, grpc_method, known_method, protocol_version,
    span_method,
};
use azmon::instrument::{recent_address, recent_path, recent_text};
use opentelemetry::{KeyValue, StringValue};

use super::client_address::peer_address;
use super::forwarded::{self, Forwarded};
use super::headers::ServerHeaders;
use super::name::Name;
use super::settings::Settings;
use crate::RequestHead;

/// A request as the conventions see it.
#[derive(Debug)]
pub(super) struct ServerRequest<'a> {
    pub(super) head: RequestHead<'a>,
    pub(super) headers: ServerHeaders<'a>,
    authority: &'a str,
    forwarded: Forwarded<'a>,
    method: Option<&'static str>,
    scheme: &'static str,
    user_agent: Option<&'a str>,
}

/// As many attributes as there mostly are, after the response too. More would be slower for all: allocators
/// keep blocks of less than 1 KiB at hand, which this many fill.
const USUAL_ATTRIBUTES: usize = 1_000 / size_of::<KeyValue>();

impl<'a> ServerRequest<'a> {
    pub(super) fn new(settings: &Settings, head: RequestHead<'a>) -> Self {
        let headers = ServerHeaders::of(head.headers());
        let forwarded = if settings.trusts_forwarded {
            Forwarded::of(&head)
        } else {
            Forwarded::default()
        };
        let authority = forwarded
            .host
            .or_else(|| head.uri().authority().map(http::uri::Authority::as_str))
            .or_else(|| headers.host?.to_str().ok())
            .unwrap_or_default();
        let scheme = forwarded
            .scheme
            .or_else(|| head.uri().scheme_str().and_then(forwarded::scheme))
            .unwrap_or(settings.scheme);
        Self {
            head,
            authority,
            forwarded,
            method: known_method(head.method()),
            scheme,
            user_agent: headers.user_agent.and_then(|value| value.to_str().ok()),
            headers,
        }
    }

    pub(super) fn is_excluded(&self, settings: &Settings) -> bool {
        settings.exclusions.excludes_incoming(&IncomingRequest {
            authority: self.authority,
            default_port: Some(self.default_port()),
            method: self.head.method(),
            path_and_query: self
                .head
                .uri()
                .path_and_query()
                .map_or("/", http::uri::PathAndQuery::as_str),
            user_agent: self.user_agent,
        })
    }

    pub(super) fn span_method(&self) -> &'static str {
        span_method(self.method)
    }

    pub(super) fn name(&self, settings: &Settings) -> Name {
        let mut name = match self.route(settings) {
            Some(route) => Name::of_route(self.span_method(), &route),
            None => Name::of_method(self.span_method()),
        };
        if self.headers.is_grpc
            && let Some(full_method) = grpc_method(self.head.uri().path())
        {
            name.name = Name::of_grpc(full_method).name;
        }
        if let Some(hook) = settings.span_name.get()
            && let Some(own) = hook(&self.head, name.route.as_ref().map(StringValue::as_str))
        {
            name.name = own;
        }
        name
    }

    fn route(&self, settings: &Settings) -> Option<Cow<'a, str>> {
        match settings.route.get() {
            Some(hook) => hook(&self.head),
            None => matched_path(&self.head).map(Cow::Borrowed),
        }
    }

    pub(super) fn labels(&self, route: Option<StringValue>) -> Labels {
        Labels {
            method: self.method.unwrap_or(OTHER_METHOD),
            scheme: self.scheme,
            version: protocol_version(self.head.version()),
            server: None,
            route: route.map(|route| (attribute::HTTP_ROUTE, route)),
        }
    }

    pub(super) fn attributes(&self, settings: &Settings, name: &Name) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(USUAL_ATTRIBUTES);
        self.push_method(&mut attributes);
        self.push_url(&mut attributes, settings, name);
        self.push_network(&mut attributes, peer_address(settings, &self.head));
        if let Some(user_agent) = self.user_agent {
            attribute::push(
                &mut attributes,
                attribute::USER_AGENT_ORIGINAL,
                recent_text(user_agent),
            );
        }
        if let Some(size) = self
            .headers
            .content_length
            .and_then(|size| i64::try_from(size).ok())
        {
            attribute::push(&mut attributes, attribute::HTTP_REQUEST_BODY_SIZE, size);
        }
        if self.headers.is_grpc {
            attribute::push(&mut attributes, attribute::RPC_SYSTEM_NAME, "grpc");
            if let Some(full_method) = grpc_method(self.head.uri().path()) {
                let full_method = Name::of_grpc(full_method).name;
                attribute::push(&mut attributes, attribute::RPC_METHOD, full_method);
            }
        }
        attributes.extend(settings.request_headers.attributes(self.head.headers()));
        if let Some(hook) = settings.on_request.get() {
            hook(&self.head, &mut attributes);
        }
        attributes
    }

    fn push_method(&self, attributes: &mut Vec<KeyValue>) {
        let method = self.method.unwrap_or(OTHER_METHOD);
        attribute::push(attributes, attribute::HTTP_REQUEST_METHOD, method);
        if self.method.is_none() {
            let original = self.head.method().as_str().to_owned();
            attribute::push(
                attributes,
                attribute::HTTP_REQUEST_METHOD_ORIGINAL,
                original,
            );
        }
    }

    fn push_url(&self, attributes: &mut Vec<KeyValue>, settings: &Settings, name: &Name) {
        let uri = self.head.uri();
        attribute::push(attributes, attribute::URL_SCHEME, self.scheme);
        let path = match &name.route {
            Some(route) if route.as_str() == uri.path() => route.clone(),
            _ => recent_path(uri.path()),
        };
        attribute::push(attributes, attribute::URL_PATH, path);
        if let Some(query) = uri.query() {
            let query = settings.redaction.query(query).into_owned();
            attribute::push(attributes, attribute::URL_QUERY, query);
        }
        if let Some(route) = &name.route {
            attribute::push(attributes, attribute::HTTP_ROUTE, route.clone());
        }
        let Authority { host, port } = Authority::parse(self.authority);
        if !host.is_empty() {
            let port = port.unwrap_or_else(|| self.default_port());
            attribute::push(attributes, attribute::SERVER_ADDRESS, recent_text(host));
            attribute::push(attributes, attribute::SERVER_PORT, i64::from(port));
        }
    }

    fn push_network(&self, attributes: &mut Vec<KeyValue>, peer: Option<SocketAddr>) {
        let peer = peer.map(|peer| (recent_address(peer.ip()), peer.port()));
        let client = match self.forwarded.client {
            Some((address, port)) => Some((recent_address(address), port)),
            None => peer.clone().map(|(address, port)| (address, Some(port))),
        };
        if let Some((address, port)) = client {
            attribute::push(attributes, attribute::CLIENT_ADDRESS, address);
            if let Some(port) = port {
                attribute::push(attributes, attribute::CLIENT_PORT, i64::from(port));
            }
        }
        if let Some((address, port)) = peer {
            attribute::push(attributes, attribute::NETWORK_PEER_ADDRESS, address);
            attribute::push(attributes, attribute::NETWORK_PEER_PORT, i64::from(port));
        }
        attribute::push(attributes, attribute::NETWORK_PROTOCOL_NAME, "http");
        if let Some(version) = protocol_version(self.head.version()) {
            attribute::push(attributes, attribute::NETWORK_PROTOCOL_VERSION, version);
        }
    }

    fn default_port(&self) -> u16 {
        if self.scheme == "https" { 443 } else { 80 }
    }
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
