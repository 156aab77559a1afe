use std::net::{IpAddr, SocketAddr};

use arrayvec::ArrayString;
use azmon_instrument::http::{Redaction, attribute, server};
use azmon_instrument::{DeferredAttributes, interned, interned_address, interned_path};
use opentelemetry::{KeyValue, StringValue};

/// The inputs of the attributes of a request.
#[derive(Debug, Clone)]
pub(super) struct ServerAttributes<T> {
    pub(super) method: &'static str,
    pub(super) scheme: &'static str,
    pub(super) route: Option<StringValue>,
    pub(super) client: Option<(IpAddr, Option<u16>)>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) version: Option<&'static str>,
    pub(super) size: Option<u64>,
    pub(super) redaction: Redaction,
    pub(super) texts: T,
}

/// Texts of a request, borrowed from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct BorrowedText<'a> {
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    /// A host with an optional port; empty if the host is unknown.
    pub(super) authority: &'a str,
    pub(super) user_agent: Option<&'a str>,
    /// The method as sent, if it is not a known method.
    pub(super) original_method: Option<&'a str>,
    pub(super) is_grpc: bool,
    /// The full gRPC method, if the service has answered it before.
    pub(super) rpc_method: Option<&'static str>,
}

impl ServerAttributes<BorrowedText<'_>> {
    /// Appends the attributes.
    pub(super) fn write(&self, attributes: &mut Vec<KeyValue>) {
        attribute::push(attributes, attribute::HTTP_REQUEST_METHOD, self.method);
        if let Some(original) = self.texts.original_method {
            attribute::push(
                attributes,
                attribute::HTTP_REQUEST_METHOD_ORIGINAL,
                original.to_owned(),
            );
        }
        self.write_url(attributes);
        self.write_network(attributes);
        write_user_agent(attributes, self.texts.user_agent);
        if let Some(size) = self.size.and_then(|size| i64::try_from(size).ok()) {
            attribute::push(attributes, attribute::HTTP_REQUEST_BODY_SIZE, size);
        }
        if self.texts.is_grpc {
            attribute::push(attributes, attribute::RPC_SYSTEM_NAME, "grpc");
        }
        if let Some(rpc_method) = self.texts.rpc_method {
            attribute::push(attributes, attribute::RPC_METHOD, rpc_method);
        }
    }

    fn write_url(&self, attributes: &mut Vec<KeyValue>) {
        let BorrowedText {
            path,
            query,
            authority,
            ..
        } = self.texts;
        attribute::push(attributes, attribute::URL_SCHEME, self.scheme);
        let path = match &self.route {
            Some(route) if route.as_str() == path => route.clone(),
            _ => interned_path(&self.redaction.path(path)),
        };
        attribute::push(attributes, attribute::URL_PATH, path);
        if let Some(query) = query {
            let query = self.redaction.query(query).into_owned();
            attribute::push(attributes, attribute::URL_QUERY, query);
        }
        if let Some(route) = &self.route {
            attribute::push(attributes, attribute::HTTP_ROUTE, route.clone());
        }
        if let Some((host, port)) = server(authority, self.scheme) {
            attribute::push(attributes, attribute::SERVER_ADDRESS, interned(host));
            attribute::push(attributes, attribute::SERVER_PORT, i64::from(port));
        }
    }

    fn write_network(&self, attributes: &mut Vec<KeyValue>) {
        let of_peer = |peer: SocketAddr| (peer.ip(), Some(peer.port()));
        if let Some((address, port)) = self.client.or_else(|| self.peer.map(of_peer)) {
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

fn write_user_agent(attributes: &mut Vec<KeyValue>, user_agent: Option<&str>) {
    if let Some(user_agent) = user_agent {
        let user_agent = interned(user_agent);
        attribute::push(attributes, attribute::USER_AGENT_ORIGINAL, user_agent);
    }
}

/// Bytes reserved for the copied texts; enough for most requests.
const ROOM: usize = 192;

/// Texts of a request, copied one after another.
///
/// They are stored in place: an allocation that another thread frees is the largest cost of a span.
#[derive(Debug, Clone)]
pub(super) struct InlineText {
    all: ArrayString<ROOM>,
    /// The lengths of the texts that are present, in order.
    path: usize,
    query: Option<usize>,
    authority: usize,
    user_agent: Option<usize>,
}

impl InlineText {
    /// Whether the texts fit, and every one of them has a field here.
    pub(super) fn has_room_for(texts: &BorrowedText<'_>) -> bool {
        let optional = |text: Option<&str>| text.map_or(0, str::len);
        let length = texts.path.len()
            + optional(texts.query)
            + texts.authority.len()
            + optional(texts.user_agent);
        length <= ROOM && texts.original_method.is_none() && !texts.is_grpc
    }

    /// Copies texts for which [`has_room_for`](Self::has_room_for) is true.
    #[inline]
    pub(super) fn of(texts: &BorrowedText<'_>) -> Self {
        let mut all = ArrayString::new();
        let mut copy = |text: &str| match all.try_push_str(text) {
            Ok(()) => text.len(),
            Err(_) => 0,
        };
        let path = copy(texts.path);
        let query = texts.query.map(&mut copy);
        let authority = copy(texts.authority);
        let user_agent = texts.user_agent.map(&mut copy);
        Self {
            all,
            path,
            query,
            authority,
            user_agent,
        }
    }

    fn texts(&self) -> BorrowedText<'_> {
        let mut rest = self.all.as_str();
        let mut next = |length| {
            let (text, others) = rest.split_at_checked(length).unwrap_or((rest, ""));
            rest = others;
            text
        };
        BorrowedText {
            path: next(self.path),
            query: self.query.map(&mut next),
            authority: next(self.authority),
            user_agent: self.user_agent.map(&mut next),
            ..BorrowedText::default()
        }
    }
}

impl DeferredAttributes for ServerAttributes<InlineText> {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        let Self {
            method,
            scheme,
            route,
            client,
            peer,
            version,
            size,
            redaction,
            texts,
        } = self;
        let all = ServerAttributes {
            method,
            scheme,
            route: route.clone(),
            client: *client,
            peer: *peer,
            version: *version,
            size: *size,
            redaction: redaction.clone(),
            texts: texts.texts(),
        };
        attributes.reserve_exact(USUAL_ATTRIBUTES);
        all.write(attributes);
    }

    /// Appends the attributes of the metric. Only the user agent comes from the request, and only for
    /// availability tests; the response supplies the others.
    fn write_dimensions(&self, attributes: &mut Vec<KeyValue>) {
        write_user_agent(attributes, self.texts.texts().user_agent);
    }

    fn size(&self) -> usize {
        0
    }
}

/// The usual number of attributes, including those of the response. A larger capacity slows every request:
/// allocators cache blocks of less than 1 KiB, which this capacity fills.
pub(super) const USUAL_ATTRIBUTES: usize = 1_000 / size_of::<KeyValue>();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_after_they_were_copied() {
        for texts in [
            BorrowedText::default(),
            BorrowedText {
                path: "/ü/7",
                query: Some("q=ö"),
                authority: "shop.example.com:8080",
                user_agent: Some("curl/8"),
                ..BorrowedText::default()
            },
            BorrowedText {
                path: "/",
                query: Some(""),
                user_agent: Some(""),
                ..BorrowedText::default()
            },
        ] {
            assert_eq!(InlineText::of(&texts).texts(), texts);
        }
    }

    #[test]
    fn long_and_rare_texts_are_not_copied() {
        let long = "x".repeat(ROOM + 1);
        for texts in [
            BorrowedText {
                path: &long,
                ..BorrowedText::default()
            },
            BorrowedText {
                original_method: Some("PURGE"),
                ..BorrowedText::default()
            },
            BorrowedText {
                is_grpc: true,
                ..BorrowedText::default()
            },
        ] {
            assert!(!InlineText::has_room_for(&texts));
        }
    }
}
