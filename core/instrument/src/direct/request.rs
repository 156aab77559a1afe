use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use opentelemetry::{KeyValue, StringValue};

use crate::intern::{interned, interned_address, interned_path};
use crate::semconv::{attribute, server};

/// The facts from which the attributes of an HTTP request are written.
#[derive(Debug, Clone)]
pub struct RequestFacts<'a> {
    /// One of a small set of names.
    pub method: &'static str,
    /// The method as it was sent, if it is not a known one.
    pub original_method: Option<&'a str>,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The template of the path.
    pub route: Option<&'a StringValue>,
    /// Without secrets.
    pub path: Cow<'a, str>,
    /// Without secrets.
    pub query: Option<Cow<'a, str>>,
    /// A host, and its port if it has one; empty if it is not known.
    pub authority: &'a str,
    /// The client behind proxies, if they are trusted.
    pub client: Option<(IpAddr, Option<u16>)>,
    /// The other end of the connection.
    pub peer: Option<SocketAddr>,
    /// The version of HTTP.
    pub version: Option<&'static str>,
    /// The size of the body in bytes, if it was announced.
    pub size: Option<u64>,
    /// The user agent.
    pub user_agent: Option<&'a str>,
}

/// The facts at the start of a request that decide how it is counted.
#[derive(Debug, Clone, Copy)]
pub struct CountedFacts<'a> {
    /// The user agent.
    pub user_agent: Option<&'a str>,
}

impl RequestFacts<'_> {
    /// Writes the attributes.
    pub fn write(&self, attributes: &mut Vec<KeyValue>) {
        attribute::push(attributes, attribute::HTTP_REQUEST_METHOD, self.method);
        if let Some(original) = self.original_method {
            attribute::push(
                attributes,
                attribute::HTTP_REQUEST_METHOD_ORIGINAL,
                original.to_owned(),
            );
        }
        self.write_url(attributes);
        self.write_network(attributes);
        self.write_user_agent(attributes);
        if let Some(size) = self.size() {
            attribute::push(attributes, attribute::HTTP_REQUEST_BODY_SIZE, size);
        }
    }

    /// Writes the attribute of the user agent.
    pub fn write_user_agent(&self, attributes: &mut Vec<KeyValue>) {
        if let Some(user_agent) = self.user_agent {
            let user_agent = interned(user_agent);
            attribute::push(attributes, attribute::USER_AGENT_ORIGINAL, user_agent);
        }
    }

    /// The client, which is the peer if no other is known.
    #[must_use]
    pub fn client(&self) -> Option<(IpAddr, Option<u16>)> {
        let of_peer = |peer: SocketAddr| (peer.ip(), Some(peer.port()));
        self.client.or_else(|| self.peer.map(of_peer))
    }

    /// The size of the body in bytes, as its attribute has it.
    #[must_use]
    pub fn size(&self) -> Option<i64> {
        self.size.and_then(|size| i64::try_from(size).ok())
    }

    fn write_url(&self, attributes: &mut Vec<KeyValue>) {
        attribute::push(attributes, attribute::URL_SCHEME, self.scheme);
        let path = match self.route {
            Some(route) if route.as_str() == self.path => route.clone(),
            _ => interned_path(&self.path),
        };
        attribute::push(attributes, attribute::URL_PATH, path);
        if let Some(query) = &self.query {
            let query = query.clone().into_owned();
            attribute::push(attributes, attribute::URL_QUERY, query);
        }
        if let Some(route) = self.route {
            attribute::push(attributes, attribute::HTTP_ROUTE, route.clone());
        }
        if let Some((host, port)) = server(self.authority, self.scheme) {
            attribute::push(attributes, attribute::SERVER_ADDRESS, interned(host));
            attribute::push(attributes, attribute::SERVER_PORT, i64::from(port));
        }
    }

    fn write_network(&self, attributes: &mut Vec<KeyValue>) {
        if let Some((address, port)) = self.client() {
            let address = interned_address(address);
            attribute::push(attributes, attribute::CLIENT_ADDRESS, address);
            if let Some(port) = port {
                attribute::push(attributes, attribute::CLIENT_PORT, i64::from(port));
            }
        }
        if let Some(peer) = self.peer {
            let address = interned_address(peer.ip());
            attribute::push(attributes, attribute::NETWORK_PEER_ADDRESS, address);
            let port = i64::from(peer.port());
            attribute::push(attributes, attribute::NETWORK_PEER_PORT, port);
        }
        attribute::push(attributes, attribute::NETWORK_PROTOCOL_NAME, "http");
        if let Some(version) = self.version {
            attribute::push(attributes, attribute::NETWORK_PROTOCOL_VERSION, version);
        }
    }
}
