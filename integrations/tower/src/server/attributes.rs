use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use arrayvec::ArrayString;
use azmon_instrument::DeferredAttributes;
use azmon_instrument::direct::RequestFacts;
use azmon_instrument::http::{Redaction, attribute};
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
        self.facts(self.texts).write(attributes);
        if self.texts.is_grpc {
            attribute::push(attributes, attribute::RPC_SYSTEM_NAME, "grpc");
        }
        if let Some(rpc_method) = self.texts.rpc_method {
            attribute::push(attributes, attribute::RPC_METHOD, rpc_method);
        }
    }
}

impl<T> ServerAttributes<T> {
    fn facts<'a>(&'a self, texts: BorrowedText<'a>) -> RequestFacts<'a> {
        let route = self.route.as_ref();
        RequestFacts {
            method: self.method,
            original_method: texts.original_method,
            scheme: self.scheme,
            route,
            // A path that is its own route holds nothing that is secret.
            path: match route {
                Some(route) if route.as_str() == texts.path => Cow::Borrowed(texts.path),
                _ => self.redaction.path(texts.path),
            },
            query: texts.query.map(|query| self.redaction.query(query)),
            authority: texts.authority,
            client: self.client,
            peer: self.peer,
            version: self.version,
            size: self.size,
            user_agent: texts.user_agent,
        }
    }
}

/// Bytes reserved for the copied texts; enough for most requests.
const ROOM: usize = 192;

/// Texts of a request, copied one after another.
///
/// They are stored in place: an allocation that another thread frees is the largest cost of a span.
#[derive(Debug, Clone, Default)]
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
    pub(super) fn copy(&mut self, texts: &BorrowedText<'_>) {
        let mut copy = |text: &str| match self.all.try_push_str(text) {
            Ok(()) => text.len(),
            Err(_) => 0,
        };
        self.path = copy(texts.path);
        self.query = texts.query.map(&mut copy);
        self.authority = copy(texts.authority);
        self.user_agent = texts.user_agent.map(&mut copy);
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
        attributes.reserve_exact(USUAL_ATTRIBUTES);
        self.facts(self.texts.texts()).write(attributes);
    }

    /// Appends the attributes of the metric. Only the user agent comes from the request, and only for
    /// availability tests; the response supplies the others.
    fn write_dimensions(&self, attributes: &mut Vec<KeyValue>) {
        self.facts(self.texts.texts()).write_user_agent(attributes);
    }

    /// Neither gRPC nor an unknown method is [inline](InlineText::has_room_for).
    fn request(&self) -> Option<RequestFacts<'_>> {
        Some(self.facts(self.texts.texts()))
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
            let mut copied = InlineText::default();
            copied.copy(&texts);
            assert_eq!(copied.texts(), texts);
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
