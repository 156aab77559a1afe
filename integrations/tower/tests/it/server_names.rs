use std::borrow::Cow;

use axum::Router;
use axum::routing::{get, post};
use azmon_instrument::OperationName;
use azmon_tower::server::{Route, RouteLayer};
use opentelemetry::Context;
use opentelemetry_sdk::trace::SpanData;
use tower::{Layer, ServiceBuilder};

use crate::fixture::{self, TestTelemetry, serve, text};

async fn hello() -> &'static str {
    "hello"
}

async fn span_of(telemetry: &TestTelemetry, router: Router, path: &str) -> SpanData {
    let address = serve(router).await;
    fixture::get(address, path, &[]).await;
    telemetry.span().await
}

#[track_caller]
fn assert_name(span: &SpanData, name: &str, route: Option<&str>) {
    assert_eq!(span.name, name);
    assert_eq!(text(span, "http.route").as_deref(), route);
}

#[tokio::test]
async fn a_route_of_axum() {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/users/{id}", get(hello))
        .layer(telemetry.server());
    let span = span_of(&telemetry, router, "/users/7").await;
    assert_name(&span, "GET /users/{id}", Some("/users/{id}"));
}

#[tokio::test]
async fn a_nested_route() {
    let telemetry = TestTelemetry::new();
    let inner = Router::new().route("/users/{id}", get(hello));
    let router = Router::new().nest("/api", inner).layer(telemetry.server());
    let span = span_of(&telemetry, router, "/api/users/7").await;
    assert_name(&span, "GET /api/users/{id}", Some("/api/users/{id}"));
}

#[tokio::test]
async fn a_nested_route_with_the_layer_inside() {
    let telemetry = TestTelemetry::new();
    let inner = Router::new()
        .route("/users/{id}", get(hello))
        .layer(telemetry.server());
    let router = Router::new().nest("/api", inner);
    let span = span_of(&telemetry, router, "/api/users/7").await;
    assert_name(&span, "GET /api/users/{id}", Some("/api/users/{id}"));
}

#[tokio::test]
async fn a_nested_service_tells_its_route_with_the_response() {
    let telemetry = TestTelemetry::new();
    let inner = Router::new()
        .route("/users/{id}", get(hello))
        .layer(RouteLayer::new());
    let router = Router::new()
        .nest_service("/api", inner)
        .layer(telemetry.server());
    let span = span_of(&telemetry, router, "/api/users/7").await;
    assert_name(&span, "GET /api/users/{id}", Some("/api/users/{id}"));
}

#[tokio::test]
async fn a_fallback_has_no_route() {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/users/{id}", get(hello))
        .fallback(hello)
        .layer(telemetry.server());
    let span = span_of(&telemetry, router, "/wp-admin/7").await;
    assert_name(&span, "GET", None);
}

#[tokio::test]
async fn a_path_that_nothing_matches_has_no_route() {
    let telemetry = TestTelemetry::new();
    let router = Router::new().layer(telemetry.server());
    let span = span_of(&telemetry, router, "/wp-admin/7").await;
    assert_name(&span, "GET", None);
}

#[tokio::test]
async fn a_method_that_is_not_allowed_has_a_route() {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/users/{id}", post(hello))
        .layer(telemetry.server());
    let span = span_of(&telemetry, router, "/users/7").await;
    assert_name(&span, "GET /users/{id}", Some("/users/{id}"));
    assert_eq!(
        fixture::number(&span, "http.response.status_code"),
        Some(405)
    );
}

/// The layer around the whole router, where axum's documentation puts layers that rewrite paths.
async fn span_around(telemetry: &TestTelemetry, router: Router) -> SpanData {
    let service = telemetry.server().layer(router);
    let address = serve(Router::new().fallback_service(service)).await;
    fixture::get(address, "/users/7", &[]).await;
    telemetry.span().await
}

#[tokio::test]
async fn a_layer_around_the_router_learns_the_route_late() {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/users/{id}", get(hello))
        .layer(RouteLayer::new());
    let span = span_around(&telemetry, router).await;
    assert_name(&span, "GET /users/{id}", Some("/users/{id}"));
    let points = telemetry.points("http.server.request.duration");
    assert_eq!(points[0].attributes["http.route"], "/users/{id}");
}

#[tokio::test]
async fn a_layer_around_a_router_that_does_not_tell_has_the_method_alone() {
    let telemetry = TestTelemetry::new();
    let router = Router::new().route("/users/{id}", get(hello));
    assert_name(&span_around(&telemetry, router).await, "GET", None);
}

#[tokio::test]
async fn another_router_tells_its_route_by_an_extension_of_the_response() {
    let telemetry = TestTelemetry::new();
    let router = Router::new().fallback(|| async {
        let mut response = http::Response::new(axum::body::Body::empty());
        response.extensions_mut().insert(Route::new("/own/{x}"));
        response
    });
    let router = router.layer(telemetry.server());
    let span = span_of(&telemetry, router, "/own/1").await;
    assert_name(&span, "GET /own/{x}", Some("/own/{x}"));
}

#[tokio::test]
async fn another_router_tells_its_route_by_the_hook() {
    let telemetry = TestTelemetry::new();
    let layer = telemetry.server().route(|request| {
        let (_, resource) = request.uri().path().rsplit_once('/')?;
        (resource == "7").then_some(Cow::Borrowed("/own/{x}"))
    });
    let router = Router::new().fallback(hello).layer(layer);
    let span = span_of(&telemetry, router, "/own/7").await;
    assert_name(&span, "GET /own/{x}", Some("/own/{x}"));
}

#[tokio::test]
async fn the_application_names_spans() {
    let telemetry = TestTelemetry::new();
    let layer = telemetry.server().span_name(|request, route| {
        assert_eq!(route, Some("/users/{id}"));
        (request.method() == "GET").then(|| "read user".into())
    });
    let router = Router::new()
        .route("/users/{id}", get(hello))
        .layer(ServiceBuilder::new().layer(layer).layer(RouteLayer::new()));
    let span = span_of(&telemetry, router, "/users/7").await;
    assert_name(&span, "read user", Some("/users/{id}"));
}

#[tokio::test]
async fn the_operation_is_known_inside() {
    let telemetry = TestTelemetry::new();
    let operation = || async {
        let context = Context::current();
        OperationName::of(&context).map_or_else(String::new, |name| name.0.to_string())
    };
    let router = Router::new()
        .route("/users/{id}", get(operation))
        .fallback(operation)
        .layer(telemetry.server());
    let address = serve(router).await;
    let response = fixture::get(address, "/users/7", &[]).await;
    assert!(response.ends_with("GET /users/{id}"), "{response}");
    let response = fixture::get(address, "/nowhere", &[]).await;
    assert!(response.ends_with("\r\n\r\n"), "{response}");
}

#[tokio::test]
async fn a_caller_that_claims_to_speak_grpc_names_nothing() {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/users/{id}", get(hello))
        .layer(telemetry.server());
    let address = serve(router).await;
    for path in ["/users/7", "/made.Up/Name", "/made.Up/Name"] {
        fixture::get(address, path, &["content-type: application/grpc"]).await;
    }
    let spans = telemetry.spans(3).await;
    assert_name(&spans[0], "GET /users/{id}", Some("/users/{id}"));
    for span in &spans[1..] {
        assert_name(span, "GET", None);
        assert_eq!(text(span, "rpc.method").unwrap(), "_OTHER");
        assert_eq!(text(span, "rpc.method_original").unwrap(), "made.Up/Name");
    }
}

#[tokio::test]
async fn url_path_is_the_whole_one_inside_of_a_nested_router() {
    let telemetry = TestTelemetry::new();
    let inner = Router::new().route("/users/{id}", get(hello));
    let layered = inner.clone().layer(telemetry.server());
    let router = Router::new().nest("/api", layered).nest(
        "/v2",
        inner.layer(telemetry.server().exclude_paths(["/v2"])),
    );
    let address = serve(router).await;
    fixture::get(address, "/api/users/7?q=1", &[]).await;
    fixture::get(address, "/v2/users/7", &[]).await;
    let span = telemetry.span().await;
    assert_name(&span, "GET /api/users/{id}", Some("/api/users/{id}"));
    assert_eq!(text(&span, "url.path").unwrap(), "/api/users/7");
    assert_eq!(text(&span, "url.query").unwrap(), "q=1");
}
