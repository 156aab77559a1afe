//! The ends of real responses.

use super::*;

async fn span_over_http(method: &str, path: &str, router: Router) -> (SpanData, String) {
    let telemetry = TestTelemetry::new();
    let address = serve(router.layer(telemetry.server())).await;
    let request = format!("{method} {path} HTTP/1.1\nhost: h\nconnection: close\n\n");
    let response = send(address, &request).await;
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    assert!(!is_error(&span));
    telemetry.idle("http.server.active_requests").await;
    (span, response)
}

#[tokio::test]
async fn a_plain_response_over_http_keeps_its_content_length() {
    let router = Router::new().route("/", get(|| async { "hello" }));
    let (span, response) = span_over_http("GET", "/", router).await;
    assert!(response.contains("content-length: 5\r\n"), "{response}");
    assert_eq!(number(&span, "http.response.body.size"), Some(5));
}

#[tokio::test]
async fn a_head_over_http() {
    let router = Router::new().route("/", get(|| async { "hello" }));
    let (span, response) = span_over_http("HEAD", "/", router).await;
    assert!(response.contains("content-length: 5\r\n"), "{response}");
    assert_eq!(span.name, "HEAD /");
    assert_eq!(number(&span, "http.response.body.size"), None);
}

#[tokio::test]
async fn responses_without_a_body_over_http() {
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        let router = Router::new().route("/", get(move || async move { status }));
        let (span, _) = span_over_http("GET", "/", router).await;
        let code = i64::from(status.as_u16());
        assert_eq!(number(&span, "http.response.status_code"), Some(code));
    }
}

#[tokio::test]
async fn a_stream_of_events_over_http_lasts_until_its_end() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let held = gate.clone();
    let events = move || async move {
        let first = stream::once(async { Ok::<_, Infallible>(Event::default().data("one")) });
        let last = stream::once(async move {
            held.notified().await;
            Ok(Event::default().data("two"))
        });
        Sse::new(first.chain(last))
    };
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/events", get(events))
        .layer(telemetry.server());
    let address = serve(router).await;
    let mut stream = open(
        address,
        "GET /events HTTP/1.1\nhost: h\nconnection: close\n\n",
    )
    .await;
    let mut received = String::new();
    while !received.contains("one") {
        let mut part = [0; 1_024];
        let length = fixture::within(stream.read(&mut part)).await.unwrap();
        received.push_str(std::str::from_utf8(&part[..length]).unwrap());
    }
    assert!(telemetry.ended().is_empty());
    gate.notify_one();
    stream.read_to_string(&mut received).await.unwrap();
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    assert!(number(&span, "http.response.body.size").unwrap() > 0);
}

#[tokio::test]
async fn a_websocket_ends_with_its_upgrade() {
    let telemetry = TestTelemetry::new();
    let upgrade = |upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(|mut socket| async move {
            socket.recv().await;
        })
    };
    let router = Router::new()
        .route("/socket", get(upgrade))
        .layer(telemetry.server());
    let address = serve(router).await;
    let request = "GET /socket HTTP/1.1\nhost: h\nconnection: upgrade\nupgrade: websocket\n\
                   sec-websocket-version: 13\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n\n";
    let socket = open(address, request).await;
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.status_code"), Some(101));
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    drop(socket);
}

#[tokio::test]
async fn a_tunnel_ends_with_its_headers() {
    let telemetry = TestTelemetry::new();
    let service = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Script::data(&["a"])))
    });
    let request = Request::connect("example.com:443").body(()).unwrap();
    let response = telemetry
        .server()
        .layer(service)
        .oneshot(request)
        .await
        .unwrap();
    let span = telemetry.span().await;
    assert_eq!(span.name, "CONNECT");
    drop(response);
    until(|| telemetry.ended().len() == 1).await;
}
