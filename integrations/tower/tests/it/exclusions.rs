use axum::Router;
use axum::routing::any;
use azmon_instrument::exclude::Exclusions;
use azmon_tower::ServerLayer;
use opentelemetry::trace::{Tracer, TracerProvider};

use crate::fixture::{TestTelemetry, names, send, serve};

/// Sends requests to a service with one child span, and returns the paths of the recorded ones.
async fn recorded(change: impl FnOnce(ServerLayer) -> ServerLayer, requests: &[&str]) -> usize {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .fallback(any(|| async { "hello" }))
        .layer(change(telemetry.server()));
    let address = serve(router).await;
    for request in requests {
        let head = format!("{request}connection: close\n\n");
        assert!(send(address, &head).await.starts_with("HTTP/1.1 200"));
    }
    let spans = telemetry.ended().len();
    let points = telemetry.points("http.server.request.duration");
    let measured: u64 = points.iter().map(|point| point.count).sum();
    assert_eq!(measured, spans as u64, "spans and metrics exclude the same");
    spans
}

const HEALTH: &str =
    "GET /health/live?x HTTP/1.1\nhost: api.internal:8080\nuser-agent: kube-probe/1.30\n";
const ORDER: &str =
    "POST /orders HTTP/1.1\nhost: shop.test\nuser-agent: curl/8\ncontent-length: 0\n";

/// Asserts that `HEALTH` is excluded and `ORDER` is not.
async fn assert_excludes(change: impl FnOnce(ServerLayer) -> ServerLayer) {
    assert_eq!(recorded(change, &[HEALTH, ORDER, HEALTH]).await, 1);
}

#[tokio::test]
async fn nothing_is_excluded_by_default() {
    assert_eq!(recorded(|layer| layer, &[HEALTH, ORDER]).await, 2);
}

#[tokio::test]
async fn by_a_plain_path() {
    assert_excludes(|layer| layer.exclude_paths(["/health"])).await;
    assert_excludes(|layer| layer.exclude_paths(["health"])).await;
}

#[tokio::test]
async fn by_an_exact_path() {
    assert_excludes(|layer| layer.exclude_paths(["exact:/health/live", "exact:/order"])).await;
}

#[tokio::test]
async fn by_a_glob_of_paths() {
    assert_excludes(|layer| layer.exclude_paths(["glob:/health/*"])).await;
}

#[tokio::test]
async fn by_a_regex_of_paths() {
    assert_excludes(|layer| layer.exclude_paths(["regex:/li[uv]e$"])).await;
}

#[tokio::test]
async fn by_a_plain_host() {
    assert_excludes(|layer| layer.exclude_hosts(["API.internal"])).await;
}

#[tokio::test]
async fn by_a_host_with_its_port() {
    assert_excludes(|layer| layer.exclude_hosts(["api.internal:8080", "shop.test:8080"])).await;
}

#[tokio::test]
async fn by_a_suffix_of_hosts() {
    assert_excludes(|layer| layer.exclude_hosts(["*.internal"])).await;
}

#[tokio::test]
async fn by_an_exact_host() {
    assert_excludes(|layer| layer.exclude_hosts(["exact:api.internal"])).await;
}

#[tokio::test]
async fn by_a_glob_of_hosts() {
    assert_excludes(|layer| layer.exclude_hosts(["glob:*.intern?l"])).await;
}

#[tokio::test]
async fn by_a_regex_of_hosts() {
    assert_excludes(|layer| layer.exclude_hosts(["regex:^api[.]"])).await;
}

#[tokio::test]
async fn by_method() {
    assert_excludes(|layer| layer.exclude_methods(["GET"])).await;
}

#[tokio::test]
async fn by_user_agent() {
    assert_excludes(|layer| layer.exclude_user_agents(["kube-probe"])).await;
}

#[tokio::test]
async fn by_the_lists_of_opencensus() {
    let lists = || Exclusions::opencensus(Some(["heal"]), Vec::<String>::new());
    assert_excludes(|layer| layer.exclusions(lists())).await;
}

#[tokio::test]
async fn by_the_environment() {
    let telemetry = TestTelemetry::new();
    let layer = ServerLayer::with_environment(|variable| {
        let list = match variable {
            "AZMON_EXCLUDED_PATHS" => "/health, /ready",
            "AZMON_EXCLUDED_HOSTS" => "*.internal",
            _ => return None,
        };
        Some(list.to_owned())
    });
    let layer = layer
        .tracer_provider(&telemetry.tracers)
        .meter_provider(&telemetry.meters);
    let address = serve(Router::new().layer(layer)).await;
    for head in [
        HEALTH,
        ORDER,
        "GET /ready HTTP/1.1\nhost: shop.test\n",
        "GET / HTTP/1.1\nhost: a.internal\n",
    ] {
        send(address, &format!("{head}connection: close\n\n")).await;
    }
    assert_eq!(names(&telemetry.spans(1).await), ["POST"]);
}

#[tokio::test]
async fn an_entry_without_a_meaning_excludes_nothing() {
    let change = |layer: ServerLayer| {
        layer
            .exclude_paths(["regex:(", "/health"])
            .exclude_hosts(["*"])
    };
    assert_excludes(change).await;
}

async fn child_spans_of_excluded(exclude: bool) -> usize {
    let telemetry = TestTelemetry::new();
    let tracer = telemetry.tracers.tracer("app");
    let child = move || async move {
        tracer.in_span("child", |_| {});
        "hello"
    };
    let layer = telemetry
        .server()
        .exclude_paths(["/health"])
        .exclude_children(exclude);
    let address = serve(Router::new().fallback(child).layer(layer)).await;
    send(address, &format!("{HEALTH}connection: close\n\n")).await;
    telemetry.ended().len()
}

#[tokio::test]
async fn an_excluded_request_has_no_child_spans_unless_asked() {
    assert_eq!(child_spans_of_excluded(true).await, 0);
    assert_eq!(child_spans_of_excluded(false).await, 1);
}
