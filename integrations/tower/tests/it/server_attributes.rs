use axum::Router;
use axum::routing::{any, get, post};
use azmon_tower::server::TrustedProxies;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::SpanData;

use crate::fixture::{self, TestTelemetry, attribute, number, send, serve, text};

async fn span_of(request: &str) -> SpanData {
    span_of_layer(request, |layer| layer).await
}

async fn span_of_layer(
    request: &str,
    change: impl FnOnce(azmon_tower::ServerLayer) -> azmon_tower::ServerLayer,
) -> SpanData {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/users/{id}", any(|| async { "hello" }))
        .route("/upload", post(|body: String| async move { body }))
        .route(
            "/broken",
            get(|| async { http::StatusCode::SERVICE_UNAVAILABLE }),
        )
        .layer(change(telemetry.server()));
    let address = serve(router).await;
    send(address, request).await;
    telemetry.span().await
}

const GET: &str =
    "GET /users/7?page=2 HTTP/1.1\nhost: shop.test:8080\nuser-agent: curl/8\nconnection: close\n\n";

#[tokio::test]
async fn a_span_is_one_of_a_server_and_of_this_crate() {
    let span = span_of(GET).await;
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.name, "GET /users/{id}");
    assert_eq!(span.instrumentation_scope.name(), "azmon-tower");
    assert!(span.instrumentation_scope.version().is_some());
    assert!(span.end_time > span.start_time);
}

#[tokio::test]
async fn http_request_method() {
    assert_eq!(
        text(&span_of(GET).await, "http.request.method").unwrap(),
        "GET"
    );
}

#[tokio::test]
async fn http_request_method_original() {
    let request = GET.replace("GET ", "FROBNICATE ");
    let span = span_of(&request).await;
    assert_eq!(text(&span, "http.request.method").unwrap(), "_OTHER");
    assert_eq!(
        text(&span, "http.request.method_original").unwrap(),
        "FROBNICATE"
    );
    assert_eq!(span.name, "HTTP /users/{id}");
    assert_eq!(
        text(&span_of(GET).await, "http.request.method_original"),
        None
    );
}

#[tokio::test]
async fn url_scheme() {
    assert_eq!(text(&span_of(GET).await, "url.scheme").unwrap(), "http");
    let span = span_of_layer(GET, |layer| layer.https(true)).await;
    assert_eq!(text(&span, "url.scheme").unwrap(), "https");
}

#[tokio::test]
async fn url_path() {
    assert_eq!(text(&span_of(GET).await, "url.path").unwrap(), "/users/7");
}

#[tokio::test]
async fn url_query() {
    assert_eq!(text(&span_of(GET).await, "url.query").unwrap(), "page=2");
    let span = span_of(&GET.replace("?page=2", "")).await;
    assert_eq!(text(&span, "url.query"), None);
}

#[tokio::test]
async fn url_query_without_its_secrets() {
    let span = span_of(&GET.replace("page=2", "page=2&sig=abc&access_token=def")).await;
    assert_eq!(
        text(&span, "url.query").unwrap(),
        "page=2&sig=REDACTED&access_token=REDACTED"
    );
}

#[tokio::test]
async fn http_route() {
    assert_eq!(
        text(&span_of(GET).await, "http.route").unwrap(),
        "/users/{id}"
    );
}

#[tokio::test]
async fn the_first_of_repeated_headers_counts() {
    let again = "\nhost: other.test\nuser-agent: other/1\nconnection";
    let span = span_of(&GET.replace("\nconnection", again)).await;
    assert_eq!(text(&span, "server.address").unwrap(), "shop.test");
    assert_eq!(text(&span, "user_agent.original").unwrap(), "curl/8");
}

#[tokio::test]
async fn server_address_and_port() {
    let span = span_of(GET).await;
    assert_eq!(text(&span, "server.address").unwrap(), "shop.test");
    assert_eq!(number(&span, "server.port").unwrap(), 8080);
    let span = span_of(&GET.replace(":8080", "")).await;
    assert_eq!(number(&span, "server.port").unwrap(), 80);
    let request = GET.replace(":8080", "");
    let span = span_of_layer(&request, |layer| layer.https(true)).await;
    assert_eq!(number(&span, "server.port").unwrap(), 443);
}

#[tokio::test]
async fn client_address_and_port_are_those_of_the_connection() {
    let span = span_of(GET).await;
    assert_eq!(text(&span, "client.address").unwrap(), "127.0.0.1");
    assert!(number(&span, "client.port").unwrap() > 0);
}

#[tokio::test]
async fn forwarded_headers_are_believed_only_if_asked() {
    let request = GET.replace(
        "\n\n",
        "\nx-forwarded-for: 192.0.2.1, 10.0.0.1\nx-forwarded-proto: https\nx-forwarded-host: example.com\n\n",
    );
    let span = span_of(&request).await;
    assert_eq!(text(&span, "client.address").unwrap(), "127.0.0.1");
    assert_eq!(text(&span, "url.scheme").unwrap(), "http");
    assert_eq!(text(&span, "server.address").unwrap(), "shop.test");

    let span = span_of_layer(&request, |layer| {
        layer.trusted_proxies(TrustedProxies::x_forwarded(2))
    })
    .await;
    assert_eq!(text(&span, "client.address").unwrap(), "192.0.2.1");
    assert_eq!(number(&span, "client.port"), None);
    assert_eq!(text(&span, "url.scheme").unwrap(), "https");
    assert_eq!(text(&span, "server.address").unwrap(), "example.com");
    assert_eq!(number(&span, "server.port").unwrap(), 443);
    assert_eq!(text(&span, "network.peer.address").unwrap(), "127.0.0.1");
}

#[tokio::test]
async fn the_standard_forwarded_header_is_believed_too() {
    let request = GET.replace(
        "\n\n",
        "\nforwarded: for=\"[2001:db8::1]:4711\";proto=https\n\n",
    );
    let span = span_of_layer(&request, |layer| {
        layer.trusted_proxies(TrustedProxies::forwarded(1))
    })
    .await;
    assert_eq!(text(&span, "client.address").unwrap(), "2001:db8::1");
    assert_eq!(number(&span, "client.port").unwrap(), 4711);
}

#[tokio::test]
async fn network_peer() {
    let span = span_of(GET).await;
    assert_eq!(text(&span, "network.peer.address").unwrap(), "127.0.0.1");
    assert_eq!(
        number(&span, "network.peer.port"),
        number(&span, "client.port")
    );
}

#[tokio::test]
async fn network_protocol() {
    let span = span_of(GET).await;
    assert_eq!(text(&span, "network.protocol.name").unwrap(), "http");
    assert_eq!(text(&span, "network.protocol.version").unwrap(), "1.1");
    let span = span_of(&GET.replace("HTTP/1.1", "HTTP/1.0")).await;
    assert_eq!(text(&span, "network.protocol.version").unwrap(), "1.0");
}

#[tokio::test]
async fn user_agent_original() {
    assert_eq!(
        text(&span_of(GET).await, "user_agent.original").unwrap(),
        "curl/8"
    );
    let span = span_of(&GET.replace("user-agent: curl/8\n", "")).await;
    assert_eq!(text(&span, "user_agent.original"), None);
}

#[tokio::test]
async fn http_response_status_code() {
    let span = span_of(GET).await;
    assert_eq!(number(&span, "http.response.status_code").unwrap(), 200);
    assert_eq!(text(&span, "error.type"), None);
    assert!(!fixture::is_error(&span));
}

#[tokio::test]
async fn error_type() {
    let span = span_of(&GET.replace("/users/7?page=2", "/broken")).await;
    assert_eq!(number(&span, "http.response.status_code").unwrap(), 503);
    assert_eq!(text(&span, "error.type").unwrap(), "503");
    assert!(fixture::is_error(&span));
}

#[tokio::test]
async fn an_error_of_the_client_is_none_of_the_server() {
    let span = span_of(&GET.replace("/users/7", "/nowhere")).await;
    assert_eq!(number(&span, "http.response.status_code").unwrap(), 404);
    assert_eq!(attribute(&span, "error.type"), None);
    assert!(!fixture::is_error(&span));
}

#[tokio::test]
async fn http_request_and_response_body_size() {
    let span = span_of(
        "POST /upload HTTP/1.1\nhost: shop.test\ncontent-length: 5\nconnection: close\n\nhello",
    )
    .await;
    assert_eq!(number(&span, "http.request.body.size").unwrap(), 5);
    assert_eq!(number(&span, "http.response.body.size").unwrap(), 5);
    assert_eq!(number(&span_of(GET).await, "http.request.body.size"), None);
}

#[tokio::test]
async fn url_path_without_the_secrets_of_its_parameters() {
    let span = span_of(&GET.replace("/users/7?page=2", "/users/7;token=x?%74oken=y;z=1")).await;
    assert_eq!(text(&span, "url.path").unwrap(), "/users/7;token=REDACTED");
    assert_eq!(text(&span, "url.query").unwrap(), "%74oken=REDACTED");
}
