//! The line that is written directly from a request's record equals the line of its envelope.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use fastrand::Rng;
use http::StatusCode;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use serde::Deserialize;

use crate::instrument::direct::{RequestFacts, SpanRate, SpanStart};
use crate::instrument::http::{Ending, HttpEnd};
use crate::instrument::{DeferredAttributes, NewRecord, SpanRecord};
use crate::item::{Item, ItemCounters, SpanView};
use crate::mapping::{Arena, Mapper, MappingOptions, PlainRequest, StandardDimensions};
use crate::telemetry_processor::{ItemDecision, TelemetryProcessors};
use crate::transmission::encoder::Encoder;

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

/// One of a few values; the first one is the usual value.
fn one<T: Clone>(random: &mut Rng, of: &[T]) -> T {
    let is_usual = random.u8(..) < 200;
    let place = if is_usual {
        0
    } else {
        random.usize(..of.len())
    };
    of[place].clone()
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

fn attribute(random: &mut Rng) -> KeyValue {
    let keys = [
        "app.user",
        "app.cart",
        "ü\"",
        "",
        "http.request.header.x",
        "client.port",
        "url.path",
        "enduser.id",
        "microsoft.request.name",
        "microsoft.request.resultCode",
        "error.type",
        "user_agent.synthetic.type",
        "azmon.cancelled",
        "_MS.ProcessedByMetricExtractors",
        "microsoft.sample_rate",
        "http.response.status_code",
        "microsoft.custom_measurements",
        "otel.status_description",
        "network.protocol.name",
    ];
    let mut keys = keys.map(str::to_owned).to_vec();
    keys.push("k".repeat(151));
    let values: [Value; 9] = [
        "value".into(),
        "".into(),
        "\u{1}\\\"".into(),
        7.into(),
        1.5.into(),
        f64::NAN.into(),
        true.into(),
        Value::Array(Array::I64(vec![1, 2])),
        "v".repeat(9_000).into(),
    ];
    let key = keys[random.usize(..keys.len())].clone();
    KeyValue::new(key, one(random, &values))
}

/// Ends the request, mostly with a response.
fn end(random: &mut Rng, record: &mut SpanRecord) {
    let status = one(random, &[200, 404, 500, 503, 304]);
    let status = (random.u8(..) > 5).then(|| StatusCode::from_u16(status).unwrap());
    let size = one(random, &[Some(23), None, Some(0), Some(u64::MAX)]);
    let endings = [
        Ending::Complete,
        Ending::Cancelled,
        Ending::Failed("timeout"),
        Ending::Panicked,
    ];
    let ended = HttpEnd::of_server(status, size, one(random, &endings));
    let took = Duration::from_nanos(one(random, &[1_234_567, 0, 86_400_000_000_000]));
    let started = record.data().start_time;
    let time = match random.u8(..) {
        0 => started - Duration::from_secs(1),
        _ => started + took,
    };
    record.end(time, (random.u8(..) > 2).then_some(ended));
}

fn span_context(random: &mut Rng) -> SpanContext {
    let trace = one(random, &[random.clone().u128(..), 0]);
    SpanContext::new(
        TraceId::from(trace),
        SpanId::from(random.u64(..)),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    )
}

/// A record of a request that has ended; two with the same number are the same.
fn record(number: u64) -> Box<SpanRecord> {
    let random = &mut Rng::with_seed(number);
    let kept = kept(random);
    let names = ["GET /users/{id}", "own", "", "\"\n", "_OTHER /users/{id}"];
    let mut names = names.map(str::to_owned).to_vec();
    names.push("n".repeat(1_100));
    let count = one(random, &[0, 1, 3, 20]);
    let start = SpanStart {
        span_context: span_context(random),
        parent_span_id: SpanId::from(one(random, &[9, 0])),
        parent_span_is_remote: random.bool(),
        span_kind: one(
            random,
            &[SpanKind::Server, SpanKind::Consumer, SpanKind::Client],
        ),
        name: one(random, &names).into(),
        start_time: UNIX_EPOCH + Duration::from_micros(random.u64(..1 << 51)),
        attributes: (0..count).map(|_| attribute(random)).collect(),
        links: Vec::new(),
        dropped_links_count: 0,
        rate: one(
            random,
            &[
                SpanRate::Percent(100.0),
                SpanRate::Percent(12.5),
                SpanRate::Unknown,
                SpanRate::Never,
            ],
        ),
        max_attributes: one(random, &[128, 128, 12]),
    };
    let mut record: Box<SpanRecord> = NewRecord::new(start).with_deferred(|| kept);
    end(random, &mut record);
    let span = record.data_mut();
    let time = span.start_time;
    match random.u8(..) {
        0..=5 => span.events = vec![Event::new("event", time, Vec::new(), 0)],
        6..=10 => span.links = vec![Link::new(span_context(random), Vec::new(), 0)],
        11..=15 => span.status = Status::Ok,
        16..=20 => span.status = Status::error("why"),
        21..=25 => span.status = Status::error(""),
        _ => {}
    }
    record
}

/// An encoder that writes lines directly, and one with a processor, which needs envelopes.
fn encoders() -> (Encoder, Encoder) {
    let counters = || Arc::new(ItemCounters::default());
    let mut seeing = TelemetryProcessors::default();
    seeing.add(|_| ItemDecision::Keep);
    (
        Encoder::new(counters(), TelemetryProcessors::default()),
        Encoder::new(counters(), seeing),
    )
}

fn mapper() -> Mapper {
    let resource = Resource::builder_empty()
        .with_service_name("shop \"1\"")
        .with_attribute(KeyValue::new("service.version", "1.2"))
        .build();
    let options = MappingOptions::default()
        .role_instance("one")
        .client_errors_are_failures(false);
    Mapper::new("key", &resource, options).with_standard_metrics(true)
}

/// Says whether the line is written straight, after comparing it with that of the envelope.
fn compare(
    mapper: &Mapper,
    (straight, through): &mut (Encoder, Encoder),
    make: impl Fn() -> Box<SpanRecord>,
) -> bool {
    let encode = |encoder: &mut Encoder| {
        let mut item = Item::Span(make());
        encoder.counters().take([item.label()]);
        encoder.add_taken(mapper, &mut item);
        encoder.take_lines()
    };
    assert_eq!(encode(straight), encode(through), "{:?}", make());
    let record = make();
    let mut text = itoa::Buffer::new();
    if let Some(at_once) = StandardDimensions::of_record(&record, mapper.options(), &mut text) {
        let mut completed = make();
        completed.complete();
        let arena = Arena::new();
        let expected = mapper.standard_dimensions(SpanView::of(&completed), &arena);
        assert_eq!(at_once, expected, "{completed:?}");
    }
    PlainRequest::of(&record, mapper).is_some()
}

/// Optimised builds compare all requests, other builds a tenth of them.
const REQUESTS: u64 = if cfg!(debug_assertions) {
    10_000
} else {
    100_000
};

#[test]
fn generated_requests_have_the_lines_and_the_dimensions_of_their_envelopes() {
    let (mapper, mut encoders) = (mapper(), encoders());
    let straight = (0..REQUESTS)
        .filter(|number| compare(&mapper, &mut encoders, || record(*number)))
        .count() as u64;
    // The test proves nothing if too few lines are written directly, or if rare cases are absent.
    assert!(
        (REQUESTS / 10..REQUESTS / 2).contains(&straight),
        "{straight}"
    );
}

#[derive(Debug, Deserialize)]
struct Golden {
    spans: Vec<GoldenSpan>,
}

#[derive(Debug, Deserialize)]
struct GoldenSpan {
    case: String,
    input: GoldenInput,
}

#[derive(Debug, Deserialize)]
struct GoldenInput {
    name: serde_json::Value,
    attributes: BTreeMap<String, serde_json::Value>,
    status: GoldenStatus,
    events: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct GoldenStatus {
    code: String,
    message: Option<String>,
}

/// Each case describes a usual request instead of its own span.
#[test]
fn requests_on_which_golden_attributes_are_set_have_the_lines_of_their_envelopes() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/mapping.json"
    );
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(golden.spans.len() > 50);
    let (mapper, mut encoders) = (mapper(), encoders());
    for GoldenSpan { case, input } in golden.spans {
        let attributes = input.attributes.iter().filter_map(|(key, value)| {
            let value: Value = match value {
                serde_json::Value::String(text) => text.clone().into(),
                serde_json::Value::Bool(is) => (*is).into(),
                serde_json::Value::Number(number) => match number.as_i64() {
                    Some(number) => number.into(),
                    None => number.as_f64()?.into(),
                },
                // The golden data write long texts so.
                serde_json::Value::Object(_) => "x".repeat(9_000).into(),
                _ => return None,
            };
            Some(KeyValue::new(key.clone(), value))
        });
        let attributes: Vec<_> = attributes.collect();
        // All together, and each by itself: one that decides must not hide another.
        let single = attributes.iter().map(|one| vec![one.clone()]);
        for set in single.chain([attributes.clone()]) {
            let make = || {
                let mut record = usual();
                let span = record.data_mut();
                span.name = match input.name.as_str() {
                    Some(name) => name.to_owned().into(),
                    None => "n".repeat(1_100).into(),
                };
                span.status = match (&*input.status.code, &input.status.message) {
                    ("OK", _) => Status::Ok,
                    ("ERROR", message) => Status::error(message.clone().unwrap_or_default()),
                    _ => Status::Unset,
                };
                for _ in &input.events {
                    let event = Event::new("event", span.start_time, Vec::new(), 0);
                    span.events.push(event);
                }
                set.iter().for_each(|one| record.set(one.clone()));
                record
            };
            compare(&mapper, &mut encoders, make);
        }
        assert!(compare(&mapper, &mut encoders, usual), "{case}");
    }
}

/// The request that services mostly answer.
fn usual() -> Box<SpanRecord> {
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
    let start = SpanStart {
        span_context: SpanContext::new(
            TraceId::from(7),
            SpanId::from(8),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::from(9),
        parent_span_is_remote: true,
        span_kind: SpanKind::Server,
        name: "GET /users/{id}".into(),
        start_time: UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
        attributes: Vec::new(),
        links: Vec::new(),
        dropped_links_count: 0,
        rate: SpanRate::Percent(100.0),
        max_attributes: 128,
    };
    let mut record: Box<SpanRecord> = NewRecord::new(start).with_deferred(|| kept);
    let ended = HttpEnd::of_server(Some(StatusCode::OK), Some(23), Ending::Complete);
    record.end(
        UNIX_EPOCH + Duration::from_micros(1_700_000_000_125_000),
        Some(ended),
    );
    record
}

#[test]
fn the_usual_request_is_written_straight() {
    assert!(compare(&mapper(), &mut encoders(), usual));
}
