use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use azmon_instrument::http::Redaction;
use azmon_tower::ServerLayer;
use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Array, Context, KeyValue, Value};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample, SpanData};

use crate::fixture::{self, TestTelemetry, attribute, serve, text};

async fn exchange(
    change: impl FnOnce(ServerLayer) -> ServerLayer,
    headers: &[&str],
) -> (SpanData, String) {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/a", get(|| async { ([("x-cache", "hit")], "hello") }))
        .layer(change(telemetry.server()));
    let address = serve(router).await;
    let response = fixture::get(address, "/a?token=x&iban=y", headers).await;
    (telemetry.span().await, response)
}

fn list(value: &str) -> Option<Value> {
    Some(Value::Array(Array::String(vec![value.to_owned().into()])))
}

#[tokio::test]
async fn only_listed_headers_are_captured() {
    let headers = ["x-tenant: blue", "authorization: secret", "cookie: secret"];
    let capture = |layer: ServerLayer| {
        layer
            .request_headers(["X-Tenant", "x-absent"])
            .response_headers(["x-cache"])
    };
    let (span, _) = exchange(capture, &headers).await;
    assert_eq!(
        attribute(&span, "http.request.header.x-tenant"),
        list("blue")
    );
    assert_eq!(
        attribute(&span, "http.response.header.x-cache"),
        list("hit")
    );
    let captured = |span: &SpanData| {
        span.attributes
            .iter()
            .filter(|attribute| attribute.key.as_str().contains(".header."))
            .count()
    };
    assert_eq!(captured(&span), 2);
    let (span, _) = exchange(|layer| layer, &headers).await;
    assert_eq!(captured(&span), 0);
}

#[tokio::test]
async fn closures_add_attributes() {
    let add = |layer: ServerLayer| {
        layer
            .on_request(|request, attributes| {
                let tenant = request.headers().get("x-tenant").unwrap();
                let tenant = tenant.to_str().unwrap().to_owned();
                attributes.push(KeyValue::new("app.tenant", tenant));
            })
            .on_response(|response, attributes| {
                let status = i64::from(response.status().as_u16());
                attributes.push(KeyValue::new("app.status", status));
            })
    };
    let (span, _) = exchange(add, &["x-tenant: blue"]).await;
    assert_eq!(text(&span, "app.tenant").unwrap(), "blue");
    assert_eq!(attribute(&span, "app.status"), Some(Value::I64(200)));
}

#[tokio::test]
async fn the_list_of_secret_keys_is_configurable() {
    let (span, _) = exchange(|layer| layer, &[]).await;
    assert_eq!(text(&span, "url.query").unwrap(), "token=REDACTED&iban=y");
    let own = Redaction::default().with_keys(["iban"]);
    let (span, _) = exchange(|layer| layer.redaction(own), &[]).await;
    assert_eq!(
        text(&span, "url.query").unwrap(),
        "token=REDACTED&iban=REDACTED"
    );
    let (span, _) = exchange(|layer| layer.redaction(Redaction::none()), &[]).await;
    assert_eq!(text(&span, "url.query").unwrap(), "token=x&iban=y");
}

#[tokio::test]
async fn the_caller_is_told_the_trace_only_if_asked() {
    let (_, response) = exchange(|layer| layer, &[]).await;
    assert!(!response.contains("traceresponse") && !response.contains("server-timing"));

    let tell = |layer: ServerLayer| layer.traceresponse(true).server_timing(true);
    let (span, response) = exchange(tell, &[]).await;
    let (trace, id) = (span.span_context.trace_id(), span.span_context.span_id());
    let parent = format!("00-{trace}-{id}-03");
    assert!(
        response.contains(&format!("\r\ntraceresponse: {parent}\r\n")),
        "{response}"
    );
    let timing = format!("\r\nserver-timing: traceparent;desc=\"{parent}\"\r\n");
    assert!(response.contains(&timing), "{response}");
}

#[derive(Debug, Clone, Default)]
struct Spy(Arc<Mutex<Vec<String>>>);

impl ShouldSample for Spy {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let mut seen = self.0.lock().unwrap();
        seen.push(format!("{kind:?} {name}"));
        seen.extend(attributes.iter().map(|attribute| attribute.key.to_string()));
        SamplingResult {
            decision: SamplingDecision::Drop,
            attributes: Vec::new(),
            trace_state: Default::default(),
        }
    }
}

#[tokio::test]
async fn the_sampler_sees_all_that_is_known_at_the_start() {
    let spy = Spy::default();
    let telemetry = TestTelemetry::sampled(spy.clone());
    let layer = telemetry
        .server()
        .request_headers(["x-tenant"])
        .on_request(|_, attributes| attributes.push(KeyValue::new("app.own", true)));
    let router = Router::new().route("/a", get(|| async {})).layer(layer);
    let address = serve(router).await;
    fixture::get(address, "/a?b=c", &["x-tenant: blue", "user-agent: curl"]).await;
    let seen = spy.0.lock().unwrap().clone();
    for expected in [
        "Server GET /a",
        "http.request.method",
        "url.scheme",
        "url.path",
        "url.query",
        "http.route",
        "server.address",
        "server.port",
        "client.address",
        "user_agent.original",
        "http.request.header.x-tenant",
        "app.own",
    ] {
        assert!(
            seen.iter().any(|seen| seen == expected),
            "{expected} is not in {seen:?}"
        );
    }
    assert!(telemetry.ended().is_empty());
    assert_eq!(telemetry.points("http.server.request.duration")[0].count, 1);
}
