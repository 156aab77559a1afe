//! Generated spans, usual and unusual ones.

use std::time::{Duration, SystemTime};

use azmon_tests::spans::{context, span};
use opentelemetry::trace::{Event, Link, SpanId, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value as Attribute};
use opentelemetry_sdk::trace::SpanData;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// All attributes that some rule reads, and some that none reads.
const KEYS: [&str; 92] = [
    "_MS.links",
    "_MS.other",
    "_MS.sampleRate",
    "ai.device.id",
    "ai.device.model",
    "ai.device.osVersion",
    "ai.device.type",
    "ai.operation.name",
    "az.namespace",
    "azure.resource_provider.namespace",
    "client.address",
    "code.function.name",
    "db.collection.name",
    "db.name",
    "db.namespace",
    "db.operation",
    "db.operation.name",
    "db.query.text",
    "db.response.status_code",
    "db.statement",
    "db.system",
    "db.system.name",
    "enduser.id",
    "enduser.pseudo.id",
    "error.type",
    "exception.message",
    "exception.stacktrace",
    "exception.type",
    "gen_ai.input.messages",
    "gen_ai.provider.name",
    "gen_ai.system",
    "http.client_ip",
    "http.host",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "http.scheme",
    "http.server_name",
    "http.status_code",
    "http.target",
    "http.url",
    "http.user_agent",
    "k",
    "message_bus.destination",
    "messaging.destination",
    "messaging.destination.name",
    "messaging.system",
    "microsoft.client.ip",
    "microsoft.custom_measurements",
    "microsoft.dependency.data",
    "microsoft.dependency.name",
    "microsoft.dependency.resultCode",
    "microsoft.dependency.target",
    "microsoft.dependency.type",
    "microsoft.operation_name",
    "microsoft.request.name",
    "microsoft.request.resultCode",
    "microsoft.request.source",
    "microsoft.request.url",
    "microsoft.sample_rate",
    "microsoft.session.id",
    "microsoft.synthetic_source",
    "microsoft.user.account_id",
    "net.host.name",
    "net.host.port",
    "net.peer.ip",
    "net.peer.name",
    "net.peer.port",
    "net.sock.peer.addr",
    "net.sock.peer.port",
    "network.peer.address",
    "network.peer.port",
    "otel.status_description",
    "peer.address",
    "peer.service",
    "rpc.grpc.status_code",
    "rpc.method",
    "rpc.response.status_code",
    "rpc.system",
    "rpc.system.name",
    "server.address",
    "server.port",
    "session.id",
    "url.full",
    "url.path",
    "url.query",
    "url.scheme",
    "url.template",
    "user_agent.original",
    "user_agent.synthetic.type",
    "",
];

/// Texts that some rule parses.
const TEXTS: [&str; 36] = [
    "",
    "/",
    "//",
    "?",
    "?a=1",
    "/p?q#f",
    "://",
    "https://",
    "https://h",
    "https://u:p@h:443/p?q",
    "HTTP://H:80",
    "http://[::1]:80/",
    "h:80",
    "::1",
    "fe80::1%eth0",
    "[::1]:443",
    "h/",
    "GET",
    "http",
    "https",
    "80",
    "443",
    "0",
    "65536",
    "5432",
    "+80",
    "postgresql",
    "mssql",
    "mongodb",
    "grpc",
    "dotnet_wcf",
    "bot",
    "AlwaysOn",
    "404",
    "{\"a\":1,\"b\":\"x\",\"\":2}",
    "Microsoft.EventHub",
];

fn json_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => select(&TEXTS[..]).prop_map(Value::from),
        2 => any::<String>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        2 => select(&[0_i64, 80, 200, 404, 443, 500, 5432][..]).prop_map(Value::from),
        1 => any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => vec(any::<i64>(), 0..3).prop_map(Value::from),
        1 => vec(any::<String>(), 0..3).prop_map(Value::from),
    ]
}

fn json_attributes() -> impl Strategy<Value = Value> {
    let pair = (select(&KEYS[..]), json_value());
    vec(pair, 0..14).prop_map(|pairs| {
        let pairs = pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        Value::Object(pairs.collect::<Map<_, _>>())
    })
}

prop_compose! {
    /// A generated input: attributes that rules read, with values that they parse.
    pub(crate) fn json_input()(
        kind in select(&["SERVER", "CLIENT", "PRODUCER", "CONSUMER", "INTERNAL"][..]),
        name in prop_oneof![Just(String::new()), any::<String>()],
        status in select(&["UNSET", "OK", "ERROR"][..]),
        attributes in json_attributes(),
        event in json_attributes(),
        event_name in select(&["exception", "message"][..]),
        link in select(vec![json!({}), json!({"enqueuedTime": 1_699_999_999_000_i64}), json!({"enqueuedTime": "x"})]),
        link_count in 0_usize..4,
        (start, end) in (-1_000_000_000_000_000_000_i64..4_000_000_000_000_000_000, 0..4_000_000_000_000_000_000_i64),
        ids in (any::<u128>(), any::<u64>(), prop_oneof![Just(0), any::<u64>()]),
    ) -> Value {
        let (trace, span, parent) = ids;
        let (trace, span) = (format!("{trace:032x}"), format!("{:016x}", span.max(1)));
        let link = json!({"trace_id": trace, "span_id": span, "attributes": link});
        json!({
            "kind": kind, "name": name, "status": {"code": status, "message": name},
            "attributes": attributes, "resource": {"service.name": "s"},
            "events": [{"name": event_name, "ts_ns": start, "attributes": event}],
            "links": vec![link; link_count],
            "trace_id": trace, "span_id": span,
            "parent": {"span_id": format!("{parent:016x}")},
            "start_ns": start, "end_ns": end,
        })
    }
}

fn attribute() -> impl Strategy<Value = Attribute> {
    prop_oneof![
        any::<bool>().prop_map(Attribute::from),
        any::<i64>().prop_map(Attribute::from),
        any::<f64>().prop_map(Attribute::from),
        any::<String>().prop_map(Attribute::from),
        select(&TEXTS[..]).prop_map(Attribute::from),
        (any::<char>(), 0_usize..20_000).prop_map(|(character, length)| {
            Attribute::from(character.to_string().repeat(length))
        }),
        vec(any::<f64>(), 0..4).prop_map(|items| Attribute::Array(Array::F64(items))),
        vec(any::<String>(), 0..4).prop_map(|items| {
            Attribute::Array(Array::String(items.into_iter().map(Into::into).collect()))
        }),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![
        4 => select(&KEYS[..]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (any::<char>(), 0_usize..300).prop_map(|(character, length)| character.to_string().repeat(length)),
    ];
    vec((key, attribute()), 0..60).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    })
}

/// Any time that the system can represent, from before 1970 to the far future.
fn time() -> impl Strategy<Value = SystemTime> {
    let seconds = prop_oneof![Just(0), -1_i64 << 40..1 << 40, -1_i64 << 58..1 << 58];
    (seconds, 0..1_000_000_000_u32).prop_map(|(seconds, nanoseconds)| {
        let distance = Duration::new(seconds.unsigned_abs(), nanoseconds);
        let epoch = SystemTime::UNIX_EPOCH;
        if seconds < 0 {
            epoch.checked_sub(distance)
        } else {
            epoch.checked_add(distance)
        }
        .unwrap_or(epoch)
    })
}

prop_compose! {
    /// Any span.
    pub(crate) fn hostile_span()(
        kind in select(&[SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer, SpanKind::Internal][..]),
        name in prop_oneof![any::<String>(), Just("世".repeat(100_000))],
        attributes in attributes(),
        status in prop_oneof![Just(Status::Unset), Just(Status::Ok), any::<String>().prop_map(Status::error)],
        events in vec((select(&["exception", "e", ""][..]), time(), self::attributes()), 0..3),
        links in vec(self::attributes(), 0..3),
        times in (time(), time()),
        ids in (any::<u128>(), any::<u64>(), prop_oneof![Just(u64::MAX), any::<u64>()]),
    ) -> SpanData {
        let mut data = span(kind, &name, attributes);
        data.span_context = context(ids.0, ids.1);
        data.parent_span_id = SpanId::from(ids.2);
        (data.start_time, data.end_time) = times;
        data.status = status;
        data.events.events = events
            .into_iter()
            .map(|(name, time, attributes)| Event::new(name, time, attributes, 0))
            .collect();
        data.links.links = links
            .into_iter()
            .map(|attributes| Link::new(context(ids.0, ids.1), attributes, 0))
            .collect();
        data
    }
}
