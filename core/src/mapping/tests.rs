//! The recommended rules, stated one by one.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value as Attribute};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use serde_json::{Value, json};

use super::{Arena, Mapper, MappingOptions};

fn context(id: u64) -> SpanContext {
    let (trace, span) = (TraceId::from(0xabc), SpanId::from(id));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, false, Default::default())
}

fn span(kind: SpanKind, name: &str, attributes: &[(&'static str, Attribute)]) -> SpanData {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let pairs = attributes
        .iter()
        .map(|(key, value)| KeyValue::new(*key, value.clone()));
    SpanData {
        span_context: context(0x51),
        parent_span_id: SpanId::from(0x50),
        parent_span_is_remote: false,
        span_kind: kind,
        name: Cow::Owned(name.to_owned()),
        start_time: start,
        end_time: start + Duration::from_millis(125),
        attributes: pairs.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn envelopes_in(
    span: &SpanData,
    operation_name: Option<&str>,
    options: MappingOptions,
) -> Vec<Value> {
    let resource = Resource::builder_empty()
        .with_attributes([KeyValue::new("device.id", "of the resource")])
        .build();
    let mapper = Mapper::new("key", &resource, options);
    let arena = Arena::new();
    let mut envelopes = Vec::new();
    mapper.map_span(span, operation_name, &arena, |envelope| {
        envelopes.push(serde_json::to_value(&envelope).unwrap());
    });
    envelopes
}

fn envelopes(span: &SpanData) -> Vec<Value> {
    envelopes_in(span, None, MappingOptions::default())
}

fn data(kind: SpanKind, attributes: &[(&'static str, Attribute)]) -> Value {
    envelopes(&span(kind, "span", attributes))[0]["data"]["baseData"].clone()
}

fn texts<const N: usize>(
    pairs: [(&'static str, &'static str); N],
) -> [(&'static str, Attribute); N] {
    pairs.map(|(key, value)| (key, value.into()))
}

/// Type, target, data and code of a dependency, empty where they are absent.
fn call(kind: SpanKind, attributes: &[(&'static str, Attribute)]) -> [String; 4] {
    let data = data(kind, attributes);
    ["type", "target", "data", "resultCode"]
        .map(|field| data[field].as_str().unwrap_or_default().to_owned())
}

#[test]
fn servers_and_consumers_make_requests_and_the_others_dependencies() {
    for (kind, expected) in [
        (SpanKind::Server, "RequestData"),
        (SpanKind::Consumer, "RequestData"),
        (SpanKind::Client, "RemoteDependencyData"),
        (SpanKind::Producer, "RemoteDependencyData"),
        (SpanKind::Internal, "RemoteDependencyData"),
    ] {
        let envelope = &envelopes(&span(kind, "span", &[]))[0];
        assert_eq!(envelope["data"]["baseType"], expected);
        assert_eq!(envelope["data"]["baseData"]["id"], "0000000000000051");
        assert_eq!(
            envelope["tags"]["ai.operation.id"],
            "00000000000000000000000000000abc"
        );
        assert_eq!(
            envelope["tags"]["ai.operation.parentId"],
            "0000000000000050"
        );
    }
}

#[test]
fn a_request_is_called_after_its_route_else_its_span_else_its_path() {
    let method_and_path = texts([("http.request.method", "GET"), ("url.path", "/users/42")]);
    let route = [
        &method_and_path[..],
        &texts([("http.route", "/users/{id}")]),
    ]
    .concat();
    for (kind, name, attributes, expected) in [
        (SpanKind::Server, "span", &route, "GET /users/{id}"),
        (SpanKind::Server, "span", &method_and_path.to_vec(), "span"),
        (
            SpanKind::Server,
            "",
            &method_and_path.to_vec(),
            "GET /users/42",
        ),
        (SpanKind::Server, "", &Vec::new(), ""),
        (SpanKind::Consumer, "span", &route, "span"),
    ] {
        let envelope = &envelopes(&span(kind, name, attributes))[0];
        assert_eq!(envelope["data"]["baseData"]["name"], expected);
        assert_eq!(
            envelope["tags"]["ai.operation.name"]
                .as_str()
                .unwrap_or_default(),
            expected
        );
    }
}

#[test]
fn a_requests_url_is_taken_or_composed_of_new_or_old_attributes() {
    for (attributes, expected) in [
        (&[("url.full", "https://h:443/p")][..], "https://h:443/p"),
        (&[("http.url", "http://old/p")], "http://old/p"),
        (
            &[
                ("url.scheme", "https"),
                ("server.address", "h"),
                ("server.port", "443"),
                ("url.path", "/p"),
                ("url.query", "q"),
            ],
            "https://h/p?q",
        ),
        (
            &[
                ("url.scheme", "http"),
                ("server.address", "::1"),
                ("server.port", "8080"),
                ("url.path", "/p"),
            ],
            "http://[::1]:8080/p",
        ),
        (
            &[
                ("http.scheme", "http"),
                ("http.host", "old:80"),
                ("http.target", "/p?q"),
            ],
            "http://old:80/p?q",
        ),
        (
            &[
                ("http.scheme", "http"),
                ("http.server_name", "s"),
                ("net.host.port", "8080"),
                ("http.target", "/p"),
            ],
            "http://s:8080/p",
        ),
        (
            &[
                ("http.scheme", "http"),
                ("net.host.name", "n"),
                ("http.target", "/p"),
            ],
            "http://n/p",
        ),
        (&[("url.scheme", "http"), ("server.address", "h")], ""),
        (&[("server.address", "h"), ("url.path", "/p")], ""),
    ] {
        let pairs: Vec<_> = attributes
            .iter()
            .map(|(key, value)| (*key, (*value).into()))
            .collect();
        let url = data(SpanKind::Server, &pairs)["url"].clone();
        assert_eq!(url.as_str().unwrap_or_default(), expected, "{attributes:?}");
    }
}

#[test]
fn http_calls_name_method_path_and_host() {
    let attributes = [
        ("http.request.method", "GET".into()),
        (
            "url.full",
            "https://svc.example.com:8443/orders/9?x=1".into(),
        ),
        ("server.address", "svc.example.com".into()),
        ("server.port", 8443.into()),
        ("http.response.status_code", 204.into()),
        ("url.template", "/orders/{id}".into()),
    ];
    let data = data(SpanKind::Client, &attributes);
    assert_eq!(data["name"], "GET /orders/9");
    assert_eq!(data["type"], "Http");
    assert_eq!(data["target"], "svc.example.com:8443");
    assert_eq!(data["data"], "https://svc.example.com:8443/orders/9?x=1");
    assert_eq!(data["resultCode"], "204");
    assert_eq!(data["properties"], json!({"url.template": "/orders/{id}"}));
}

#[test]
fn an_http_target_has_no_default_port_and_no_credentials() {
    for (attributes, expected) in [
        (&[("url.full", "https://u:p@h:443/")][..], "h"),
        (&[("url.full", "https://u:p@x@h/")], "h"),
        (&[("url.full", "https://h:80/")], "h:80"),
        (&[("url.full", "ws://h:80/")], "h:80"),
        (&[("url.full", "https://h?q")], "h"),
        (
            &[
                ("url.full", "http://h/"),
                ("server.address", "s"),
                ("server.port", "80"),
            ],
            "s",
        ),
        (&[("server.address", "s"), ("server.port", "443")], "s"),
        (&[("http.host", "h:80"), ("http.scheme", "http")], "h"),
        (&[("http.host", "h:80"), ("http.scheme", "https")], "h:80"),
        (
            &[
                ("http.scheme", "http"),
                ("net.peer.ip", "10.0.0.1"),
                ("net.peer.port", "80"),
            ],
            "10.0.0.1",
        ),
        (
            &[("url.full", "https://h/"), ("peer.service", "orders")],
            "orders",
        ),
        (
            &[
                ("url.full", "https://h/"),
                ("server.address", "::1"),
                ("server.port", "81"),
            ],
            "[::1]:81",
        ),
    ] {
        let method = std::iter::once(("http.request.method", "GET".into()));
        let pairs = attributes
            .iter()
            .map(|(key, value)| (*key, (*value).into()));
        let pairs: Vec<_> = method.chain(pairs).collect();
        assert_eq!(
            data(SpanKind::Client, &pairs)["target"],
            expected,
            "{attributes:?}"
        );
    }
}

#[test]
fn databases_have_type_target_and_statement_by_new_and_old_names() {
    let new = texts([
        ("db.system.name", "microsoft.sql_server"),
        ("db.query.text", "SELECT 1"),
        ("db.operation.name", "SELECT"),
        ("db.namespace", "shop"),
        ("server.address", "db"),
        ("server.port", "1433"),
    ]);
    assert_eq!(
        call(SpanKind::Client, &new),
        ["SQL", "db|shop", "SELECT 1", "0"]
    );
    let old = texts([
        ("db.system", "postgresql"),
        ("db.operation", "SELECT"),
        ("db.name", "shop"),
        ("net.peer.name", "db"),
        ("net.peer.port", "15432"),
    ]);
    assert_eq!(
        call(SpanKind::Client, &old),
        ["postgresql", "db:15432|shop", "SELECT", "0"]
    );
    let system = texts([("db.system", "redis")]);
    assert_eq!(
        call(SpanKind::Internal, &system),
        ["redis", "redis", "", "0"]
    );
}

#[test]
fn each_database_system_has_its_type_and_its_default_port() {
    for (system, kind, port) in [
        ("cassandra", "cassandra", 9042),
        ("db2", "SQL", 50000),
        ("ibm.db2", "SQL", 50000),
        ("derby", "SQL", 1527),
        ("h2", "SQL", 8082),
        ("h2database", "SQL", 8082),
        ("hsqldb", "SQL", 0),
        ("mariadb", "SQL", 3306),
        ("memcached", "memcached", 11211),
        ("microsoft.sql_server", "SQL", 1433),
        ("mongodb", "mongodb", 27017),
        ("mssql", "SQL", 1433),
        ("mysql", "mysql", 3306),
        ("oracle", "SQL", 1521),
        ("oracle.db", "SQL", 1521),
        ("other_sql", "SQL", 0),
        ("postgresql", "postgresql", 5432),
        ("redis", "redis", 6379),
        ("sqlite", "SQL", 0),
        ("cockroachdb", "cockroachdb", 0),
    ] {
        let with_port = |port: i64| {
            let attributes = [
                ("db.system.name", system.into()),
                ("server.address", "db".into()),
                ("server.port", port.into()),
            ];
            let [kind, target, ..] = call(SpanKind::Client, &attributes);
            (kind, target)
        };
        assert_eq!(
            with_port(port),
            (kind.to_owned(), "db".to_owned()),
            "{system}"
        );
        assert_eq!(with_port(4711).1, "db:4711", "{system}");
    }
}

#[test]
fn hosts_and_ports_are_written_so_that_they_can_be_read() {
    for (host, port, expected) in [
        ("h", "8080", "h:8080"),
        ("h/", "8080", "h:8080"),
        ("::1", "8080", "[::1]:8080"),
        ("fe80::1%eth0", "8080", "[fe80::1%eth0]:8080"),
        ("::1", "", "::1"),
        ("h", "0", "h"),
        ("h", "65536", "h"),
        ("h", "+80", "h"),
        ("/", "8080", ""),
    ] {
        let attributes = texts([("server.address", host), ("server.port", port)]);
        assert_eq!(
            call(SpanKind::Client, &attributes)[1],
            expected,
            "{host} {port}"
        );
    }
}

#[test]
fn bots_tests_and_availability_tests_are_synthetic() {
    for (key, value, expected) in [
        ("user_agent.synthetic.type", "bot", "True"),
        ("user_agent.synthetic.type", "test", "True"),
        ("user_agent.synthetic.type", "human", ""),
        ("http.user_agent", "AlwaysOn probe", "True"),
        ("microsoft.synthetic_source", "load test", "load test"),
    ] {
        let envelope = &envelopes(&span(SpanKind::Server, "span", &texts([(key, value)])))[0];
        let source = envelope["tags"]["ai.operation.syntheticSource"].as_str();
        assert_eq!(source.unwrap_or_default(), expected, "{value}");
    }
}

#[test]
fn remote_procedure_calls_keep_host_port_and_status() {
    let new = texts([
        ("rpc.system.name", "grpc"),
        ("rpc.response.status_code", "UNAVAILABLE"),
        ("server.address", "grpc.local"),
        ("server.port", "50051"),
    ]);
    assert_eq!(
        call(SpanKind::Client, &new),
        ["GRPC", "grpc.local:50051", "", "UNAVAILABLE"]
    );
    let old = [
        ("rpc.system", "java_rmi".into()),
        ("rpc.grpc.status_code", 14.into()),
    ];
    assert_eq!(
        call(SpanKind::Client, &old),
        ["java_rmi", "java_rmi", "", "14"]
    );
    let wcf = texts([("rpc.system", "dotnet_wcf")]);
    assert_eq!(call(SpanKind::Client, &wcf)[0], "WCF Service");
}

#[test]
fn messages_go_to_and_come_from_peer_and_destination() {
    let kafka = texts([
        ("messaging.system", "kafka"),
        ("messaging.destination.name", "orders"),
        ("server.address", "broker"),
        ("server.port", "9092"),
    ]);
    assert_eq!(
        call(SpanKind::Producer, &kafka)[..2],
        ["Queue Message | kafka", "broker/orders"]
    );
    assert_eq!(
        call(SpanKind::Client, &kafka)[..2],
        ["kafka", "broker/orders"]
    );
    assert_eq!(call(SpanKind::Internal, &kafka)[..2], ["InProc", ""]);
    let received = data(SpanKind::Consumer, &kafka);
    assert_eq!(received["source"], "broker/orders");
    assert_eq!(
        received["properties"],
        json!({"messaging.system": "kafka", "server.port": "9092"})
    );
    let unknown = texts([("messaging.destination", "orders")]);
    assert_eq!(
        call(SpanKind::Producer, &unknown)[..2],
        ["Queue Message", "orders"]
    );
}

#[test]
fn the_azure_sdk_is_told_by_both_names_of_its_namespace() {
    for key in ["az.namespace", "azure.resource_provider.namespace"] {
        let hub = texts([
            (key, "Microsoft.EventHub"),
            ("messaging.system", "eventhubs"),
            ("messaging.destination.name", "hub"),
            ("server.address", "ns.servicebus.windows.net"),
        ]);
        let target = "ns.servicebus.windows.net/hub";
        assert_eq!(
            call(SpanKind::Client, &hub)[..2],
            ["Microsoft.EventHub", target]
        );
        let produced = call(SpanKind::Producer, &hub);
        assert_eq!(
            produced[..2],
            ["Queue Message | Microsoft.EventHub", target]
        );
        let internal = call(SpanKind::Internal, &hub);
        assert_eq!(internal[..2], ["InProc | Microsoft.EventHub", ""]);
        assert_eq!(
            data(SpanKind::Client, &hub)["properties"][key],
            "Microsoft.EventHub"
        );
    }
}

#[test]
fn generative_ai_is_told_by_both_names_of_its_system_which_stay_properties() {
    for key in ["gen_ai.system", "gen_ai.provider.name"] {
        let chat = texts([(key, "openai"), ("server.address", "api.openai.com")]);
        assert_eq!(
            call(SpanKind::Client, &chat)[..2],
            ["GenAI | openai", "openai"]
        );
        assert_eq!(call(SpanKind::Internal, &chat)[..2], ["GenAI | openai", ""]);
        assert_eq!(data(SpanKind::Client, &chat)["properties"][key], "openai");
    }
}

#[test]
fn the_first_kind_of_call_wins() {
    let all = [
        ("http.request.method", "Http"),
        ("db.system.name", "postgresql"),
        ("rpc.system", "GRPC"),
        ("az.namespace", "Microsoft.Storage"),
        ("messaging.system", "kafka"),
        ("gen_ai.system", "GenAI | openai"),
        ("server.address", "Dependency"),
    ];
    let values = [
        "GET",
        "postgresql",
        "grpc",
        "Microsoft.Storage",
        "kafka",
        "openai",
        "h",
    ];
    let pairs: Vec<_> = all
        .iter()
        .zip(values)
        .map(|((key, _), value)| (*key, value.into()))
        .collect();
    for (first, (_, expected)) in all.iter().enumerate() {
        assert_eq!(call(SpanKind::Client, &pairs[first..])[0], *expected);
    }
}

#[test]
fn success_follows_the_status_then_the_http_code() {
    for kind in [SpanKind::Server, SpanKind::Client] {
        for (status, code, strict, lenient) in [
            (Status::Unset, 399, true, true),
            (Status::Unset, 404, false, true),
            (Status::Unset, 500, false, false),
            (Status::Ok, 404, true, true),
            (Status::error("x"), 200, false, false),
        ] {
            let mut span = span(
                kind.clone(),
                "span",
                &[("http.response.status_code", code.into())],
            );
            span.status = status;
            for (failures, expected) in [(true, strict), (false, lenient)] {
                let options = MappingOptions::default().client_errors_are_failures(failures);
                let envelope = &envelopes_in(&span, None, options)[0];
                assert_eq!(
                    envelope["data"]["baseData"]["success"], expected,
                    "{span:?}"
                );
            }
        }
    }
    assert_eq!(data(SpanKind::Server, &[])["success"], true);
}

#[test]
fn overrides_beat_every_rule_and_leave_what_they_replace_as_properties() {
    let attributes = texts([
        ("db.system.name", "redis"),
        ("microsoft.dependency.data", "D"),
        ("microsoft.dependency.name", "N"),
        ("microsoft.dependency.resultCode", "RC"),
        ("microsoft.dependency.target", "T"),
        ("microsoft.dependency.type", "TY"),
    ]);
    let dependency = data(SpanKind::Client, &attributes);
    assert_eq!(call(SpanKind::Client, &attributes), ["TY", "T", "D", "RC"]);
    assert_eq!(dependency["name"], "N");
    assert_eq!(dependency["properties"], json!({"db.system.name": "redis"}));

    let attributes = texts([
        ("microsoft.request.name", "N"),
        ("microsoft.request.resultCode", "RC"),
        ("microsoft.request.source", "S"),
        ("microsoft.request.url", "U"),
    ]);
    let request = data(SpanKind::Server, &attributes);
    for (field, expected) in [
        ("name", "N"),
        ("responseCode", "RC"),
        ("source", "S"),
        ("url", "U"),
    ] {
        assert_eq!(request[field], expected);
    }
    assert_eq!(request["properties"], Value::Null);
}

#[test]
fn user_session_and_place_are_tags() {
    let attributes = texts([
        ("enduser.id", "user"),
        ("enduser.pseudo.id", "anonymous"),
        ("microsoft.user.account_id", "account"),
        ("session.id", "session"),
        ("client.address", "203.0.113.7"),
        ("user_agent.original", "curl AlwaysOn"),
        ("ai.device.id", "of the span"),
        ("microsoft.operation_name", "operation"),
    ]);
    let envelope = &envelopes(&span(SpanKind::Server, "span", &attributes))[0];
    for (tag, expected) in [
        ("ai.user.authUserId", "user"),
        ("ai.user.id", "anonymous"),
        ("ai.user.accountId", "account"),
        ("ai.session.id", "session"),
        ("ai.location.ip", "203.0.113.7"),
        ("ai.user.userAgent", "curl AlwaysOn"),
        ("ai.device.id", "of the span"),
        ("ai.operation.name", "operation"),
        ("ai.operation.syntheticSource", "True"),
    ] {
        assert_eq!(envelope["tags"][tag], expected, "{tag}");
    }
    assert_eq!(envelope["data"]["baseData"]["properties"], Value::Null);
}

#[test]
fn a_dependency_carries_the_name_of_the_callers_operation_unless_it_says_another() {
    let silent = span(SpanKind::Client, "call", &[]);
    let said = span(
        SpanKind::Client,
        "call",
        &texts([("microsoft.operation_name", "GET /b")]),
    );
    for (span, known, expected) in [
        (&silent, Some("GET /a"), json!("GET /a")),
        (&silent, None, Value::Null),
        (&said, Some("GET /a"), json!("GET /b")),
    ] {
        let envelope = &envelopes_in(span, known, MappingOptions::default())[0];
        assert_eq!(envelope["tags"]["ai.operation.name"], expected);
    }
}

#[test]
fn events_carry_their_spans_context_and_have_it_as_parent() {
    let mut span = span(
        SpanKind::Server,
        "span",
        &[
            ("_MS.sampleRate", 25.0.into()),
            ("enduser.id", "user".into()),
        ],
    );
    let attributes = vec![
        KeyValue::new("exception.type", "io::Error"),
        KeyValue::new("exception.message", "file missing"),
        KeyValue::new("exception.stacktrace", "0: main"),
        KeyValue::new("exception.escaped", false),
        KeyValue::new("microsoft.custom_measurements", r#"{"size":1}"#),
    ];
    let time = span.start_time + Duration::from_millis(5);
    span.events.events = vec![
        Event::new("exception", time, attributes, 0),
        Event::new("cache miss", time, vec![KeyValue::new("key", "k")], 0),
    ];
    let [_, exception, message] = &envelopes(&span)[..] else {
        panic!("three items")
    };
    for item in [exception, message] {
        assert_eq!(item["sampleRate"], 25.0);
        assert_eq!(item["time"], "2023-11-14T22:13:20.005000Z");
        assert_eq!(
            item["tags"]["ai.operation.id"],
            "00000000000000000000000000000abc"
        );
        assert_eq!(item["tags"]["ai.operation.parentId"], "0000000000000051");
        assert_eq!(item["tags"]["ai.operation.name"], "span");
        assert_eq!(item["tags"]["ai.user.authUserId"], "user");
    }
    let data = &exception["data"]["baseData"];
    assert_eq!(
        data["exceptions"],
        json!([{"typeName": "io::Error", "message": "file missing", "hasFullStack": true, "stack": "0: main"}])
    );
    assert_eq!(data["properties"], json!({"exception.escaped": "false"}));
    assert_eq!(data["measurements"], json!({"size": 1.0}));
    assert_eq!(message["data"]["baseData"]["message"], "cache miss");
    assert_eq!(
        message["data"]["baseData"]["properties"],
        json!({"key": "k"})
    );
}

#[test]
fn the_time_in_the_queue_is_the_mean_over_the_links_that_know_it() {
    let link = |attributes: Vec<KeyValue>| Link::new(context(1), attributes, 0);
    let waited = |milliseconds: i64| {
        link(vec![KeyValue::new(
            "enqueuedTime",
            1_700_000_000_000 - milliseconds,
        )])
    };
    for (kind, links, expected) in [
        (
            SpanKind::Consumer,
            vec![waited(2_000), waited(1_000), link(Vec::new())],
            json!(1_500.0),
        ),
        (SpanKind::Consumer, vec![waited(-5_000)], json!(0.0)),
        (SpanKind::Consumer, vec![link(Vec::new())], Value::Null),
        (SpanKind::Server, vec![waited(2_000)], Value::Null),
    ] {
        let mut span = span(kind, "span", &[]);
        span.links.links = links;
        let envelope = &envelopes(&span)[0];
        assert_eq!(
            envelope["data"]["baseData"]["measurements"]["timeSinceEnqueued"],
            expected
        );
    }
}

#[test]
fn a_sample_rate_is_read_by_both_names_and_ignored_if_it_is_none() {
    for (key, rate, expected) in [
        ("_MS.sampleRate", Attribute::F64(25.0), json!(25.0)),
        ("microsoft.sample_rate", Attribute::I64(50), json!(50.0)),
        ("microsoft.sample_rate", "12.5".into(), json!(12.5)),
        ("microsoft.sample_rate", Attribute::F64(0.0), Value::Null),
        ("_MS.sampleRate", Attribute::F64(100.5), Value::Null),
        ("_MS.sampleRate", Attribute::F64(f64::NAN), Value::Null),
    ] {
        let envelope = &envelopes(&span(SpanKind::Server, "span", &[(key, rate)]))[0];
        assert_eq!(envelope["sampleRate"], expected);
        assert_eq!(
            envelope["data"]["baseData"]["properties"][key].is_null(),
            !expected.is_null()
        );
    }
}

#[test]
fn what_no_rule_uses_is_kept() {
    let mut span = span(
        SpanKind::Client,
        "span",
        &texts([
            ("db.system.name", "postgresql"),
            ("db.collection.name", "orders"),
            ("db.response.status_code", "42P01"),
            ("error.type", "42P01"),
            ("http.route", ""),
            ("app.tenant", "contoso"),
        ]),
    );
    span.status = Status::error("relation does not exist");
    let properties = envelopes(&span)[0]["data"]["baseData"]["properties"].clone();
    assert_eq!(
        properties,
        json!({
            "db.collection.name": "orders",
            "db.response.status_code": "42P01",
            "error.type": "42P01",
            "http.route": "",
            "app.tenant": "contoso",
            "otel.status_description": "relation does not exist",
        })
    );
}
