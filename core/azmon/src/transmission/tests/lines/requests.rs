//! Requests.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use fastrand::Rng;
use opentelemetry::trace::SpanKind;
use opentelemetry::{KeyValue, StringValue};

use super::compare::Comparison;
use super::generated::{self, one};
use crate::instrument::direct::RequestFacts;
use crate::instrument::http::Side;
use crate::instrument::{DeferredAttributes, SpanRecord};

/// The facts of a request, stored as a server stores them.
#[derive(Debug, Clone)]
struct Kept {
    method: &'static str,
    original_method: Option<String>,
    scheme: &'static str,
    route: Option<StringValue>,
    path: String,
    query: Option<String>,
    authority: String,
    client: Option<(IpAddr, Option<u16>)>,
    peer: Option<SocketAddr>,
    version: Option<&'static str>,
    size: Option<u64>,
    user_agent: Option<String>,
}

impl Kept {
    fn facts(&self) -> RequestFacts<'_> {
        RequestFacts {
            method: self.method,
            original_method: self.original_method.as_deref(),
            scheme: self.scheme,
            route: self.route.as_ref(),
            path: Cow::Borrowed(&self.path),
            query: self.query.as_deref().map(Cow::Borrowed),
            authority: &self.authority,
            client: self.client,
            peer: self.peer,
            version: self.version,
            size: self.size,
            user_agent: self.user_agent.as_deref(),
        }
    }
}

impl DeferredAttributes for Kept {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        self.facts().write(attributes);
    }

    fn request(&self) -> Option<RequestFacts<'_>> {
        Some(self.facts())
    }

    fn size(&self) -> usize {
        0
    }
}

fn address(random: &mut Rng) -> IpAddr {
    let four = Ipv4Addr::from(random.u32(..));
    one(
        random,
        &[
            IpAddr::V4(four),
            IpAddr::V6(four.to_ipv6_mapped()),
            IpAddr::V6(Ipv6Addr::from(random.clone().u128(..))),
        ],
    )
}

fn kept(random: &mut Rng) -> Kept {
    let texts = |texts: &[&str]| texts.iter().map(|text| Some((*text).to_owned())).collect();
    let queries: Vec<Option<String>> = texts(&["page=2", "", "?", "?a=b", "q=\"ü\\", "a#b"]);
    let mut agents: Vec<Option<String>> = texts(&["curl/8", "AlwaysOn", "", "\u{7}\"", "🦀"]);
    agents.push(Some("x".repeat(2_000)));
    let mut paths = ["/users/7", "/", "", "users", "/a\"b\\", "/ü?x#y"]
        .map(str::to_owned)
        .to_vec();
    paths.push(format!("/{}", "世".repeat(800)));
    Kept {
        method: one(random, &["GET", "POST", "_OTHER"]),
        original_method: one(random, &[None, None, Some("PURGE".to_owned())]),
        scheme: one(random, &["http", "https"]),
        route: one(
            random,
            &[
                Some("/users/{id}".into()),
                None,
                Some("".into()),
                Some("/users/7".into()),
                Some("/\"".into()),
                Some("r".repeat(1_100).into()),
            ],
        ),
        path: one(random, &paths),
        query: random.bool().then(|| one(random, &queries)).flatten(),
        authority: one(
            random,
            &[
                "shop.example.com",
                "shop:8080",
                "shop:443",
                "shop:80",
                "shop:0",
                "",
                "[::1]:1",
                "::1",
                "a/",
                "ü.de",
                "a b",
                "\"",
                "user@host",
                "host.",
            ],
        )
        .to_owned(),
        client: random
            .bool()
            .then(|| (address(random), one(random, &[None, Some(7)]))),
        peer: random
            .bool()
            .then(|| SocketAddr::new(address(random), random.u16(..))),
        version: one(random, &[Some("1.1"), Some("2"), None]),
        size: one(random, &[None, Some(0), Some(12), Some(u64::MAX)]),
        user_agent: one(random, &agents),
    }
}

/// A record of a request that has ended; two with the same number are the same.
fn record(number: u64) -> Box<SpanRecord> {
    let random = &mut Rng::with_seed(number);
    let kept = kept(random);
    let names = ["GET /users/{id}", "own", "", "\"\n", "_OTHER /users/{id}"];
    let kinds = [SpanKind::Server, SpanKind::Consumer, SpanKind::Client];
    generated::record(random, kept, &names, &kinds, Side::Server)
}

#[test]
fn generated_requests_have_the_lines_and_the_dimensions_of_their_envelopes() {
    Comparison::new().all_generated(record);
}

#[test]
fn requests_on_which_golden_attributes_are_set_have_the_lines_of_their_envelopes() {
    Comparison::new().all_golden(usual);
}

/// The request that services mostly answer.
pub(super) fn usual() -> Box<SpanRecord> {
    let kept = Kept {
        method: "GET",
        original_method: None,
        scheme: "http",
        route: Some("/users/{id}".into()),
        path: "/users/7".to_owned(),
        query: Some("page=2".to_owned()),
        authority: "shop.example.com:8080".to_owned(),
        client: None,
        peer: Some(SocketAddr::from(([192, 0, 2, 7], 4711))),
        version: Some("1.1"),
        size: Some(12),
        user_agent: Some("curl/8".to_owned()),
    };
    let name = "GET /users/{id}";
    generated::usual(kept, name, SpanKind::Server, Side::Server)
}

#[test]
fn the_usual_request_is_written_straight() {
    assert!(Comparison::new().compare(usual));
}
