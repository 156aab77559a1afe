//! The application's own rules: exclusions, successes, and the hook at the end.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azmon_tower::{EndedExchange, Excluded, ServerLayer, Settings};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use opentelemetry::trace::Status;
use opentelemetry::{Context, KeyValue, Value};
use tower::{Layer, ServiceExt, service_fn};

use crate::fixture::{TestTelemetry, attribute, is_error, number, text};

/// Sends a request that is answered with the status in its path, and a body.
async fn ask(layer: ServerLayer, request: Request<()>) -> StatusCode {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let status = request.uri().path().trim_start_matches('/').parse();
        let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
        *response.status_mut() = status.unwrap_or(StatusCode::OK);
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    response.into_body().collect().await.unwrap();
    status
}

fn request(path: &str) -> Request<()> {
    Request::get(path).body(()).unwrap()
}

#[tokio::test]
async fn a_rule_excludes_requests_by_anything_in_their_head() {
    let telemetry = TestTelemetry::new();
    let layer = telemetry
        .server()
        .exclude_if(|head| head.headers().contains_key("x-probe") || head.uri().path() == "/204");
    let probe = Request::get("/200").header("x-probe", "1").body(());
    ask(layer.clone(), probe.unwrap()).await;
    ask(layer.clone(), request("/204")).await;
    assert!(telemetry.ended().is_empty());
    ask(layer, request("/200")).await;
    telemetry.span().await;
    assert_eq!(telemetry.points("http.server.request.duration")[0].count, 1);
}

#[tokio::test]
async fn an_extension_excludes_one_request() {
    let telemetry = TestTelemetry::new();
    let excluded = Request::get("/200").extension(Excluded).body(()).unwrap();
    ask(telemetry.server(), excluded).await;
    assert!(telemetry.ended().is_empty());
    assert!(telemetry.points("http.server.request.duration").is_empty());
}

#[tokio::test]
async fn the_span_and_metrics_see_the_success_that_a_rule_decides() {
    let telemetry = TestTelemetry::new();
    let layer = telemetry
        .server()
        .classify(|end| match end.status()?.as_u16() {
            503 => Some(true),
            202 => Some(false),
            _ => None,
        });
    for path in ["/503", "/202", "/500"] {
        ask(layer.clone(), request(path)).await;
    }
    let spans = telemetry.spans(3).await;
    assert_eq!(spans[0].status, Status::Ok);
    assert_eq!(attribute(&spans[0], "error.type"), None);
    assert!(is_error(&spans[1]) && is_error(&spans[2]));
    assert_eq!(text(&spans[1], "error.type").unwrap(), "202");
    assert_eq!(text(&spans[2], "error.type").unwrap(), "500");
    let points = telemetry.points("http.server.request.duration");
    let errors = |status: &str| {
        let point = points
            .iter()
            .find(|point| point.attributes["http.response.status_code"] == status);
        point.unwrap().attributes.get("error.type").cloned()
    };
    assert_eq!(errors("503"), None);
    assert_eq!(errors("202").unwrap(), "202");
}

#[tokio::test]
async fn the_end_is_told_once_with_outcome_and_duration() {
    let telemetry = TestTelemetry::new();
    let told = Arc::new(Mutex::new(Vec::<EndedExchange>::new()));
    let tell = Arc::clone(&told);
    let layer = telemetry.server().on_end(move |end, attributes| {
        attributes.push(KeyValue::new(
            "app.size",
            end.response_size().unwrap() as i64,
        ));
        tell.lock().unwrap().push(end.clone());
    });
    ask(layer, request("/500")).await;
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "app.size"), Some(Value::I64(5)));
    let told = told.lock().unwrap();
    let [end] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(end.status().unwrap(), 500);
    assert_eq!(end.error_type(), Some("500"));
    assert!(end.is_error() && !end.is_cancelled() && !end.is_panic());
    let elapsed = span.end_time.duration_since(span.start_time).unwrap();
    assert!(end.duration() > Duration::ZERO && end.duration() == elapsed);
    let active = opentelemetry::trace::TraceContextExt::span(end.context());
    assert_eq!(active.span_context(), &span.span_context);
}

#[tokio::test]
async fn a_hook_that_panics_disturbs_neither_the_request_nor_its_span() {
    let telemetry = TestTelemetry::new();
    let layer = telemetry
        .server()
        .classify(|_| panic!("on purpose"))
        .on_end(|_, _| panic!("on purpose"));
    assert_eq!(ask(layer, request("/200")).await, 200);
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert!(!is_error(&span));
}

#[tokio::test]
async fn methods_become_known_by_a_setter_and_by_the_environment() {
    let propfind = || {
        Request::builder()
            .method("PROPFIND")
            .uri("/200")
            .body(())
            .unwrap()
    };
    let telemetry = TestTelemetry::new();
    ask(telemetry.server(), propfind()).await;
    ask(telemetry.server().known_methods(["PROPFIND"]), propfind()).await;
    let lookup = |variable: &str| {
        (variable == "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS").then(|| "PROPFIND, GET".to_owned())
    };
    let by_environment = ServerLayer::with_environment(lookup)
        .tracer_provider(&telemetry.tracers)
        .meter_provider(&telemetry.meters);
    ask(by_environment.clone(), propfind()).await;
    let put = Request::put("/200").body(()).unwrap();
    ask(by_environment, put).await;
    let spans = telemetry.spans(4).await;
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["HTTP", "PROPFIND", "PROPFIND", "HTTP"]);
    let method = |index: usize| text(&spans[index], "http.request.method").unwrap();
    assert_eq!(
        [method(0), method(1), method(3)],
        ["_OTHER", "PROPFIND", "_OTHER"]
    );
}

#[tokio::test]
async fn one_configuration_is_shared() {
    let telemetry = TestTelemetry::new();
    let settings = Settings::new()
        .request_headers(["x-tenant"])
        .request_headers(["x-shard"])
        .exclude_hosts(["probe.test"])
        .duration_boundaries([1.0, 2.0])
        .tracer_provider(&telemetry.tracers)
        .meter_provider(&telemetry.meters);
    let layer = ServerLayer::with_environment(|variable| {
        (variable == "AZMON_EXCLUDED_PATHS").then(|| "/204".to_owned())
    });
    let layer = layer.settings(settings);
    ask(layer.clone(), request("/204")).await;
    let probe = Request::get("/200").header("host", "probe.test").body(());
    ask(layer.clone(), probe.unwrap()).await;
    let request = Request::get("/200")
        .header("x-tenant", "a")
        .header("x-shard", "b");
    ask(layer, request.body(()).unwrap()).await;
    let span = telemetry.span().await;
    assert!(attribute(&span, "http.request.header.x-tenant").is_some());
    assert!(attribute(&span, "http.request.header.x-shard").is_some());
    let points = telemetry.points("http.server.request.duration");
    assert_eq!(points[0].bounds, [1.0, 2.0]);
}

#[tokio::test]
async fn a_layer_that_was_used_takes_another_provider() {
    let (first, second) = (TestTelemetry::new(), TestTelemetry::new());
    let layer = first.server();
    ask(layer.clone(), request("/200")).await;
    ask(layer.tracer_provider(&second.tracers), request("/200")).await;
    first.span().await;
    second.span().await;
}

#[tokio::test]
async fn a_handler_can_tell_the_id_of_its_trace() {
    use axum::Router;
    use axum::routing::get;
    use azmon_tower::CurrentTraceId;

    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/", get(|id: CurrentTraceId| async move { id.to_string() }))
        .layer(telemetry.server());
    let request = Request::new(axum::body::Body::empty());
    let response = router.clone().oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let span = telemetry.span().await;
    assert_eq!(body, span.span_context.trace_id().to_string());
    let _ = Context::current();
}

#[tokio::test]
async fn application_insights_sees_the_success_that_a_rule_decides() {
    use azmon::envelope::Data;

    let destination = azmon::testing::InMemoryDestination::new();
    let telemetry = azmon::Telemetry::builder()
        .destination(&destination)
        .install_globally(false)
        .build()
        .unwrap();
    let layer = ServerLayer::with_environment(|_| None)
        .tracer_provider(telemetry.tracer_provider())
        .classify(|end| match end.status()?.as_u16() {
            404 => Some(true),
            200 => Some(false),
            _ => None,
        });
    for path in ["/404", "/200", "/410"] {
        ask(layer.clone(), request(path)).await;
    }
    telemetry.force_flush().unwrap();
    let envelopes = destination.envelopes();
    let successes: Vec<_> = envelopes
        .iter()
        .filter_map(|envelope| match &envelope.data {
            Data::Request(request) => Some((request.response_code.clone(), request.success)),
            _ => None,
        })
        .collect();
    let expected = [("404", true), ("200", false), ("410", false)];
    let expected = expected.map(|(code, success)| (code.into(), success));
    assert_eq!(successes, expected);
}
