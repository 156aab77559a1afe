//! Real OpenTelemetry clients, and the examples of the specification, found again through the API.

use azmon_portal::Portal;
use azmon_test_clients::otlp::{Exporters, Transport, export_metrics};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{
    Span, SpanKind, Status, TraceContextExt, TraceId, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};

use crate::client::Harness;

async fn portal() -> Harness {
    let any = "127.0.0.1:0".parse().unwrap();
    Harness::start_with(Portal::builder().otlp_grpc(any).otlp_http(any)).await
}

fn exporters(portal: &Portal, transport: Transport) -> Exporters {
    let endpoint = match transport {
        Transport::Grpc => "otlpGrpc",
        Transport::HttpProtobuf | Transport::HttpJson => "otlpHttp",
    };
    Exporters::new(transport, portal.otlp_endpoint(endpoint).unwrap())
}

fn resource() -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "shop"),
            KeyValue::new("service.instance.id", "i-1"),
        ])
        .build()
}

/// A request with a failed call, and a log record in it. Blocks its thread.
fn send(spans: SpanExporter, logs: LogExporter) -> TraceId {
    let tracers = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_simple_exporter(spans)
        .build();
    let loggers = SdkLoggerProvider::builder()
        .with_resource(resource())
        .with_simple_exporter(logs)
        .build();
    let tracer = tracers.tracer("test");
    let request = tracer
        .span_builder("GET /orders/{id}")
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.route", "/orders/{id}"),
            KeyValue::new("http.response.status_code", 500),
            KeyValue::new("url.path", "/orders/7"),
            KeyValue::new("colour", "green"),
        ])
        .start(&tracer);
    let trace = request.span_context().trace_id();
    let current = Context::new().with_span(request).attach();
    let mut call = tracer
        .span_builder("SELECT orders")
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("server.address", "shop-db"),
        ])
        .start(&tracer);
    call.set_status(Status::error("timeout"));
    call.end();
    let logger = loggers.logger("shop::orders");
    let mut record = logger.create_log_record();
    record.set_body(AnyValue::from("the stock is low"));
    record.set_severity_number(Severity::Warn);
    record.add_attribute("left", 3);
    logger.emit(record);
    drop(current);
    loggers.shutdown().unwrap();
    tracers.shutdown().unwrap();
    trace
}

/// A counter and a histogram.
async fn send_metrics(exporter: &MetricExporter) {
    export_metrics(exporter, resource(), |meter| {
        let genre = [KeyValue::new("genre", "book")];
        meter.u64_counter("orders").build().add(3, &genre);
        let sizes = meter.f64_histogram("size").build();
        for size in [1.0, 2.0, 6.0] {
            sizes.record(size, &genre);
        }
    })
    .await;
}

/// The one item that the API gives for a query.
async fn one(portal: &Harness, query: &str) -> Value {
    let found = portal.items(query).await;
    assert_eq!(found.len(), 1, "{query}: {found:#?}");
    let id = &found[0]["id"];
    portal.json(&format!("/api/items/{id}")).await
}

fn envelope(item: &Value) -> &Value {
    &item["envelope"]
}

async fn everything_is_found_again(transport: Transport) {
    let portal = portal().await;
    let Exporters {
        spans,
        logs,
        metrics,
    } = exporters(&portal.portal, transport);
    let trace = tokio::task::spawn_blocking(move || send(spans, logs))
        .await
        .unwrap()
        .to_string();
    send_metrics(&metrics).await;

    let request = one(&portal, "?kind=request&f=role~is~shop").await;
    let raw = envelope(&request);
    assert_eq!(raw["data"]["baseData"]["name"], "GET /orders/{id}");
    assert_eq!(raw["data"]["baseData"]["responseCode"], "500");
    assert_eq!(raw["data"]["baseData"]["success"], false);
    assert_eq!(raw["data"]["baseData"]["properties"]["colour"], "green");
    assert_eq!(raw["tags"]["ai.operation.id"], trace);
    assert_eq!(raw["tags"]["ai.cloud.roleInstance"], "i-1");
    assert_eq!(raw["resource"]["service.instance.id"], "i-1");

    let call = one(&portal, "?kind=dependency&q=success:false").await;
    let raw = envelope(&call);
    assert_eq!(raw["data"]["baseData"]["type"], "postgresql");
    assert_eq!(raw["data"]["baseData"]["target"], "shop-db");

    let log = one(&portal, "?kind=trace&q=stock").await;
    let raw = envelope(&log);
    assert_eq!(raw["data"]["baseData"]["message"], "the stock is low");
    assert_eq!(raw["data"]["baseData"]["properties"]["left"], "3");
    assert_eq!(raw["tags"]["ai.operation.id"], trace);

    let transaction = portal.json(&format!("/api/transactions/{trace}")).await;
    let text = transaction.to_string();
    for name in ["GET /orders/{id}", "SELECT orders", "the stock is low"] {
        assert!(text.contains(name), "{name} in {transaction:#}");
    }

    let metrics = portal.json("/api/metrics").await.to_string();
    for name in ["orders", "size"] {
        assert!(metrics.contains(&format!("\"{name}\"")), "{metrics}");
        let series = portal
            .json(&format!(
                "/api/metrics/series?name={name}&aggregation=sum&split=genre"
            ))
            .await;
        assert!(series.to_string().contains("book"), "{series:#}");
    }
    let size = one(&portal, "?kind=customMetric&f=name~is~size").await;
    let point = &envelope(&size)["data"]["baseData"]["metrics"][0];
    assert_eq!((&point["value"], &point["count"]), (&json!(9.0), &json!(3)));
    let orders = one(&portal, "?kind=customMetric&f=name~is~orders").await;
    let point = &envelope(&orders)["data"]["baseData"]["metrics"][0];
    assert_eq!(point["value"], 3.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_signals_sent_over_grpc_are_found_again() {
    everything_is_found_again(Transport::Grpc).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_signals_sent_over_http_as_protobuf_are_found_again() {
    everything_is_found_again(Transport::HttpProtobuf).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_signals_sent_over_http_as_json_are_found_again() {
    everything_is_found_again(Transport::HttpJson).await;
}

/// The examples of OpenTelemetry's protocol, as the forwarder's tests keep them.
const EXAMPLES: [(&str, &str); 4] = [
    (
        "traces",
        include_str!("../../../forwarder/tests/data/otlp/trace.json"),
    ),
    (
        "logs",
        include_str!("../../../forwarder/tests/data/otlp/logs.json"),
    ),
    (
        "logs",
        include_str!("../../../forwarder/tests/data/otlp/events.json"),
    ),
    (
        "metrics",
        include_str!("../../../forwarder/tests/data/otlp/metrics.json"),
    ),
];

/// Finds the contents of the examples through the API.
async fn examples_are_found(portal: &Harness) {
    let span = one(portal, "?kind=request").await;
    let raw = envelope(&span);
    assert_eq!(raw["data"]["baseData"]["name"], "I'm a server span");
    assert_eq!(raw["tags"]["ai.cloud.role"], "my.service");
    assert_eq!(
        raw["tags"]["ai.operation.id"],
        "5b8efff798038103d269b633813fc60c"
    );
    assert_eq!(raw["tags"]["ai.operation.parentId"], "eee19b7ec3c1b173");
    let properties = &raw["data"]["baseData"]["properties"];
    assert_eq!(properties["my.span.attr"], "some value");

    let log = one(portal, "?kind=trace&q=example").await;
    let properties = &envelope(&log)["data"]["baseData"]["properties"];
    assert_eq!(
        properties["map.attribute"],
        r#"{"some.map.key":"some value"}"#
    );
    assert_eq!(properties["array.attribute"], r#"["many","values"]"#);
    let event = portal.items("?kind=trace&kind=customEvent").await;
    assert_eq!(event.len(), 2, "the log record and the event");

    for (name, value, count) in [
        ("my.counter", 5.0, 1),
        ("my.gauge", 10.0, 1),
        ("my.histogram", 2.0, 2),
        ("my.exponential.histogram", 10.0, 3),
    ] {
        let metric = one(portal, &format!("?f=name~is~{name}")).await;
        let point = &envelope(&metric)["data"]["baseData"]["metrics"][0];
        assert_eq!(point["value"], value, "{name}");
        assert_eq!(point["count"].as_i64().unwrap_or(1), count, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_specification_are_found_again() {
    let portal = portal().await;
    let url = portal.portal.otlp_endpoint("otlpHttp").unwrap().to_owned();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (signal, body) in EXAMPLES {
        let answer = client
            .post(format!("{url}/v1/{signal}"))
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{signal}");
        assert_eq!(answer.text().await.unwrap(), "{}", "{signal}");
    }
    examples_are_found(&portal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_specification_are_imported_and_exported_as_otlp() {
    let first = portal().await;
    let file: String = EXAMPLES
        .iter()
        .map(|(_, body)| {
            let value: Value = serde_json::from_str(body).unwrap();
            format!("{value}\n")
        })
        .collect();
    let import = async |portal: &Harness, file: String| {
        let answer = portal.post("/api/import").body(file).send().await.unwrap();
        crate::client::json_of(answer).await
    };
    let answer = import(&first, file).await;
    assert_eq!(answer["accepted"], answer["received"], "{answer}");
    examples_are_found(&first).await;

    let exported = first.page("/api/export?format=otlp").await;
    for line in exported.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let names: Vec<_> = value.as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(
            ["resourceSpans", "resourceLogs", "resourceMetrics"].contains(&names[0].as_str()),
            "{names:?}"
        );
    }
    let second = portal().await;
    let answer = import(&second, exported).await;
    assert_eq!(answer["errors"], json!([]));
    examples_are_found(&second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_survive_an_export_and_an_import_as_otlp() {
    let story = crate::story::Story::ago(60);
    let (first, second) = (portal().await, portal().await);
    let mut items = story.orders(3);
    items.push(story.metric("shop", 5, "queue length", 7.0, "m-1"));
    let mut event = crate::client::event("checkout");
    event["tags"] = json!({"ai.cloud.role": "shop", "ai.session.id": "s-1"});
    event["data"]["baseData"]["measurements"] = json!({"basket": 3.5});
    items.push(event);
    let mut availability = crate::client::event("x");
    availability["data"] = json!({"baseType": "AvailabilityData", "baseData": {
        "id": "a-1", "name": "home", "duration": "00:00:01.5000000", "success": false, "runLocation": "here",
        "message": "503"}});
    items.push(availability);
    first.accept(&items).await;
    let exported = first.page("/api/export?format=otlp").await;
    let answer = second
        .post("/api/import")
        .body(exported)
        .send()
        .await
        .unwrap();
    let answer = crate::client::json_of(answer).await;
    assert_eq!(answer["errors"], json!([]));
    assert_eq!(answer["accepted"], items.len());

    let seen = async |portal: &Harness, kind: &str| -> Vec<Value> {
        let mut found = Vec::new();
        for item in portal.items(&format!("?kind={kind}&limit=100")).await {
            let whole = portal.json(&format!("/api/items/{}", item["id"])).await;
            let raw = envelope(&whole);
            let (data, tags) = (&raw["data"]["baseData"], &raw["tags"]);
            let empty = json!({});
            let mut properties = data.get("properties").unwrap_or(&empty).clone();
            for own in [
                "name",
                "success",
                "type",
                "target",
                "message",
                "responseCode",
                "resultCode",
                "duration",
                "metrics",
                "measurements",
                "runLocation",
            ] {
                if own != "duration" || kind != "exception" {
                    properties[format!("field {own}")] = normal(&data[own]);
                }
            }
            // A data point of OTLP belongs to no operation and no user.
            let is_point = kind == "customMetric";
            for tag in [
                "ai.cloud.role",
                "ai.operation.id",
                "ai.operation.name",
                "ai.user.id",
                "ai.session.id",
            ] {
                if !is_point || tag == "ai.cloud.role" {
                    properties[format!("tag {tag}")] = tags[tag].clone();
                }
            }
            // A resource without a name is that of an unknown service.
            if tags["ai.cloud.role"].is_null() {
                properties["tag ai.cloud.role"] = json!("unknown_service");
            }
            properties["problem"] = item["name"].clone();
            properties["time"] = item["timestamp"].clone();
            found.push(properties);
        }
        found.sort_by_key(Value::to_string);
        found
    };
    for kind in [
        "request",
        "dependency",
        "exception",
        "trace",
        "customEvent",
        "customMetric",
        "availabilityResult",
    ] {
        let (before, after) = (seen(&first, kind).await, seen(&second, kind).await);
        assert!(!before.is_empty(), "{kind}");
        assert_eq!(after, before, "{kind}");
    }
}

/// The canonical form: durations with all digits, points with only their values, and without empty optional fields.
fn normal(value: &Value) -> Value {
    match value {
        // A span without a result is a dependency with the result 0.
        Value::String(text) if text.is_empty() || text == "0" => Value::Null,
        Value::String(text) => match text.parse::<azmon_envelope::TimeSpan>() {
            Ok(span) if text.contains(':') => json!(span.to_string()),
            _ => value.clone(),
        },
        Value::Array(points) => json!([points[0]["name"], points[0]["value"]]),
        Value::Object(members) if members.is_empty() => Value::Null,
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), normal(value)))
            .collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

#[tokio::test]
async fn a_port_in_use_is_left_out_and_reported() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let portal = Portal::builder()
        .otlp_grpc(taken)
        .otlp_http(any)
        .bind(any)
        .await
        .unwrap();
    let closed: Vec<_> = portal.closed_endpoints().collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].0, "otlpGrpc");
    assert!(closed[0].1.contains(&taken.to_string()), "{closed:?}");
    assert!(
        portal.otlp_endpoint("otlpGrpc").is_none() && portal.otlp_endpoint("otlpHttp").is_some()
    );
}
