//! The attributes of spans and metrics of calls.

use super::*;

#[tokio::test]
async fn a_span_has_the_attributes_of_its_request_and_response() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let url = format!("http://{address}/users/7?page=2");
    let (span, received) = call(&telemetry, telemetry.client(), request(Method::GET, &url)).await;
    assert_eq!(
        (span.name.as_ref(), span.span_kind.clone()),
        ("GET", SpanKind::Client)
    );
    assert_eq!(text(&span, "http.request.method").unwrap(), "GET");
    assert_eq!(text(&span, "url.full").unwrap(), url);
    assert_eq!(text(&span, "url.scheme").unwrap(), "http");
    assert_eq!(text(&span, "server.address").unwrap(), "127.0.0.1");
    assert_eq!(
        number(&span, "server.port"),
        Some(i64::from(address.port()))
    );
    assert_eq!(text(&span, "network.protocol.version").unwrap(), "1.1");
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(number(&span, "http.response.body.size"), Some(55));
    assert_eq!(attribute(&span, "error.type"), None);
    assert_eq!(attribute(&span, "http.request.resend_count"), None);
    let (trace, id) = (span.span_context.trace_id(), span.span_context.span_id());
    assert_eq!(received, format!("00-{trace}-{id}-03"));
}

#[tokio::test]
async fn a_method_of_its_own() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let method = Method::from_bytes(b"FROB").unwrap();
    let (span, _) = call(
        &telemetry,
        telemetry.client(),
        request(method, format!("http://{address}/")),
    )
    .await;
    assert_eq!(span.name, "HTTP");
    assert_eq!(text(&span, "http.request.method").unwrap(), "_OTHER");
    assert_eq!(text(&span, "http.request.method_original").unwrap(), "FROB");
}

#[tokio::test]
async fn a_template_is_part_of_the_name() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let mut request = request(Method::GET, format!("http://{address}/users/7"));
    request
        .extensions_mut()
        .insert(UrlTemplate::new("/users/{id}"));
    let (span, _) = call(&telemetry, telemetry.client(), request).await;
    assert_eq!(span.name, "GET /users/{id}");
    assert_eq!(text(&span, "url.template").unwrap(), "/users/{id}");
    let points = telemetry.points("http.client.request.duration");
    assert_eq!(points[0].attributes["url.template"], "/users/{id}");
}

#[tokio::test]
async fn credentials_and_secrets_leave_no_trace() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let url = format!("http://user:pass@{address}/blob?sig=abc&x=1");
    let (span, _) = call(&telemetry, telemetry.client(), request(Method::GET, url)).await;
    assert_eq!(
        text(&span, "url.full").unwrap(),
        format!("http://REDACTED:REDACTED@{address}/blob?sig=REDACTED&x=1")
    );
    assert_eq!(text(&span, "server.address").unwrap(), "127.0.0.1");
}

#[tokio::test]
async fn every_error_of_a_response_is_one_of_the_client() {
    for (path, code) in [("/broken", "502"), ("/missing", "404")] {
        let telemetry = TestTelemetry::new();
        let router = Router::new().route("/broken", get(|| async { StatusCode::BAD_GATEWAY }));
        let address = serve(router).await;
        let url = format!("http://{address}{path}");
        let (span, _) = call(&telemetry, telemetry.client(), request(Method::GET, url)).await;
        assert_eq!(text(&span, "error.type").unwrap(), code);
        assert!(is_error(&span));
    }
}

#[tokio::test]
async fn metrics_have_the_labels_of_clients() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    call(
        &telemetry,
        telemetry.client(),
        request(Method::GET, format!("http://{address}/a?b=c")),
    )
    .await;
    let port = address.port().to_string();
    let expected = [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port),
        ("url.scheme", "http"),
    ];
    for instrument in [
        "http.client.request.duration",
        "http.client.response.body.size",
    ] {
        let points = telemetry.points(instrument);
        assert_eq!(points.len(), 1);
        let labels: Vec<_> = points[0]
            .attributes
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(labels, expected);
    }
    telemetry.idle("http.client.active_requests").await;
}

#[tokio::test]
async fn hooks_and_captured_headers() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let layer = telemetry
        .client()
        .request_headers(["x-tenant"])
        .response_headers(["content-type"])
        .span_name(|request, _| Some(format!("call {}", request.uri().path()).into()))
        .on_request(|_, attributes| attributes.push(KeyValue::new("app.asked", true)))
        .on_response(|_, attributes| attributes.push(KeyValue::new("app.answered", true)));
    let mut request = request(Method::GET, format!("http://{address}/a"));
    request
        .headers_mut()
        .insert("x-tenant", "blue".parse().unwrap());
    let (span, _) = call(&telemetry, layer, request).await;
    assert_eq!(span.name, "call /a");
    for key in [
        "app.asked",
        "app.answered",
        "http.request.header.x-tenant",
        "http.response.header.content-type",
    ] {
        assert!(attribute(&span, key).is_some(), "{key}");
    }
}
