//! Outgoing calls.

use fastrand::Rng;
use opentelemetry::trace::SpanKind;
use opentelemetry::{KeyValue, StringValue};

use super::compare::Comparison;
use super::generated::{self, one};
use super::requests;
use crate::instrument::direct::CallFacts;
use crate::instrument::http::{Redaction, Side};
use crate::instrument::{DeferredAttributes, OperationName, SpanRecord};

/// The facts of a call, stored as a client stores them.
#[derive(Debug, Clone)]
struct Kept {
    method: &'static str,
    original_method: Option<String>,
    url: String,
    redaction: Redaction,
    scheme: &'static str,
    authority: String,
    template: Option<StringValue>,
    size: Option<u64>,
    resend_count: u32,
}

impl Kept {
    fn facts(&self) -> CallFacts<'_> {
        CallFacts {
            method: self.method,
            original_method: self.original_method.as_deref(),
            full_url: &self.url,
            redaction: &self.redaction,
            scheme: self.scheme,
            authority: &self.authority,
            template: self.template.as_ref(),
            size: self.size,
            resend_count: self.resend_count,
        }
    }
}

impl DeferredAttributes for Kept {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        self.facts().write(attributes);
    }

    fn call(&self) -> Option<CallFacts<'_>> {
        Some(self.facts())
    }

    fn size(&self) -> usize {
        0
    }
}

fn kept(random: &mut Rng) -> Kept {
    let mut urls = [
        "http://shop:8080/items/7?page=2",
        "https://shop/a?sig=secret&x=\"",
        "http://shop",
        "http://shop?q=1",
        "http://u:p@shop/a#b",
        "shop/a",
        "/items/7",
        "",
        "ftp://shop/",
        "http://shop/ü\\\"",
    ]
    .map(str::to_owned)
    .to_vec();
    urls.push(format!("http://shop/{}", "世".repeat(400)));
    let authorities = [
        "shop:8080",
        "shop",
        "shop:80",
        "shop:443",
        "shop:08080",
        "shop:0",
        "shop:",
        "",
        "[::1]:1",
        "u:p@shop:1",
        "a b",
        "SHOP:1",
        "shop:65536",
        "ü.de:1",
    ];
    Kept {
        method: one(random, &["GET", "POST", "_OTHER"]),
        original_method: one(random, &[None, None, Some("PURGE".to_owned())]),
        url: one(random, &urls),
        redaction: one(random, &[Redaction::default(), Redaction::none()]),
        scheme: one(random, &["http", "https"]),
        authority: one(random, &authorities).to_owned(),
        template: one(
            random,
            &[
                None,
                Some("/items/{id}".into()),
                Some("".into()),
                Some("\"".into()),
                Some("t".repeat(1_100).into()),
            ],
        ),
        size: one(random, &[None, Some(0), Some(12), Some(u64::MAX)]),
        resend_count: one(random, &[0, 1, u32::MAX]),
    }
}

/// A record of a call that has ended; two with the same number are the same.
fn record(number: u64) -> Box<SpanRecord> {
    let random = &mut Rng::with_seed(number);
    let kept = kept(random);
    let long = format!("GET /{{id}}/{}", "x".repeat(1_100));
    let names = [
        "GET",
        "GET /items/{id}",
        "GET items",
        "own {x}",
        "",
        "\"\n",
        &long,
    ];
    let kinds = [SpanKind::Client, SpanKind::Producer, SpanKind::Internal];
    let mut record = generated::record(random, kept, &names, &kinds, Side::Client);
    let operation = one(random, &["GET /", "", "\"", &"o".repeat(1_100)]).to_owned();
    let operation = KeyValue::new(OperationName::ATTRIBUTE, operation);
    match random.u8(..) {
        // A span inherits the name before anything else.
        0..=200 => record.data_mut().attributes.insert(0, operation),
        201..=210 => record.set(operation),
        211 => record
            .data_mut()
            .attributes
            .insert(0, KeyValue::new(OperationName::ATTRIBUTE, 7)),
        _ => {}
    }
    record
}

#[test]
fn generated_calls_have_the_lines_and_the_dimensions_of_their_envelopes() {
    Comparison::new().all_generated(record);
}

#[test]
fn calls_on_which_golden_attributes_are_set_have_the_lines_of_their_envelopes() {
    Comparison::new().all_golden(usual);
}

/// The call that services mostly make.
fn usual() -> Box<SpanRecord> {
    let kept = Kept {
        method: "GET",
        original_method: None,
        url: "http://stock:8080/items/7?page=2".to_owned(),
        redaction: Redaction::default(),
        scheme: "http",
        authority: "stock:8080".to_owned(),
        template: None,
        size: None,
        resend_count: 0,
    };
    generated::usual(kept, "GET", SpanKind::Client, Side::Client)
}

#[test]
fn the_usual_call_is_written_straight() {
    assert!(Comparison::new().compare(usual));
}

#[test]
fn a_call_has_the_name_of_its_request_as_its_envelope_has() {
    for name in ["GET /orders", &"n".repeat(1_100)] {
        let request = || {
            let mut record = requests::usual();
            record.set(KeyValue::new("microsoft.request.name", name.to_owned()));
            record
        };
        let mut comparison = Comparison::new();
        comparison.compare(request);
        assert!(comparison.compare(usual));
    }
}
