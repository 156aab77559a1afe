//! The client of hyper-util, through the layer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Redirect;
use axum::routing::get;
use azmon_tower::ClientLayer;
use azmon_tower::client::{ResendLayer, UrlTemplate};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::{FutureExt, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SpanData;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use crate::fixture::{
    self, Telemetry, attribute, is_error, named, names, number, serve, text, until,
};

fn hyper_client() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn echo(request: Request) -> String {
    let parent = request.headers().get("traceparent");
    let parent = parent.map(|parent| parent.to_str().unwrap().to_owned());
    parent.unwrap_or_default()
}

async fn serve_back() -> SocketAddr {
    let router = Router::new()
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/from", get(|| async { Redirect::temporary("/to") }))
        .fallback(echo);
    serve(router).await
}

fn request(method: Method, url: impl AsRef<str>) -> http::Request<Body> {
    http::Request::builder()
        .method(method)
        .uri(url.as_ref())
        .body(Body::empty())
        .unwrap()
}

async fn body<B: http_body::Body<Data = bytes::Bytes>>(response: Response<B>) -> String
where
    B::Error: std::fmt::Debug,
{
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn call(
    telemetry: &Telemetry,
    layer: ClientLayer,
    request: http::Request<Body>,
) -> (SpanData, String) {
    let response = layer.layer(hyper_client()).oneshot(request).await.unwrap();
    let received = body(response).await;
    (telemetry.span().await, received)
}

#[tokio::test]
async fn a_span_has_the_attributes_of_its_request_and_response() {
    let telemetry = Telemetry::new();
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
    let telemetry = Telemetry::new();
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
    let telemetry = Telemetry::new();
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
    let telemetry = Telemetry::new();
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
        let telemetry = Telemetry::new();
        let router = Router::new().route("/broken", get(|| async { StatusCode::BAD_GATEWAY }));
        let address = serve(router).await;
        let url = format!("http://{address}{path}");
        let (span, _) = call(&telemetry, telemetry.client(), request(Method::GET, url)).await;
        assert_eq!(text(&span, "error.type").unwrap(), code);
        assert!(is_error(&span));
    }
}

async fn error_of<S>(telemetry: &Telemetry, client: S, url: String) -> String
where
    S: Service<http::Request<Body>, Response: std::fmt::Debug, Error: std::fmt::Debug>,
{
    client.oneshot(request(Method::GET, url)).await.unwrap_err();
    let span = telemetry.span().await;
    assert!(is_error(&span));
    assert_eq!(number(&span, "http.response.status_code"), None);
    telemetry.idle("http.client.active_requests").await;
    text(&span, "error.type").unwrap()
}

#[tokio::test]
async fn a_refused_connection() {
    let telemetry = Telemetry::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = telemetry.client().layer(hyper_client());
    let error = error_of(&telemetry, client, format!("http://{address}/")).await;
    assert_eq!(error, "connection_refused");
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    #[derive(Clone)]
    struct NoNames;
    impl Service<hyper_util::client::legacy::connect::dns::Name> for NoNames {
        type Response = std::vec::IntoIter<SocketAddr>;
        type Error = std::io::Error;
        type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: hyper_util::client::legacy::connect::dns::Name) -> Self::Future {
            std::future::ready(Err(std::io::Error::other("Name or service not known")))
        }
    }
    let telemetry = Telemetry::new();
    let connector = HttpConnector::new_with_resolver(NoNames);
    let client = Client::builder(TokioExecutor::new()).build::<_, Body>(connector);
    let client = telemetry.client().layer(client);
    let error = error_of(&telemetry, client, "http://nowhere.invalid/".to_owned()).await;
    assert_eq!(error, "dns");
}

/// Accepts, reads the request, and does as it is told.
async fn rude_server(answer: &'static [u8], stays: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 1_024];
        let _ = stream.read(&mut head).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
            .await
            .unwrap();
        if stays {
            std::future::pending::<()>().await;
        }
    });
    address
}

#[tokio::test]
async fn a_timeout() {
    let telemetry = Telemetry::new();
    let address = rude_server(b"", true).await;
    let client = ServiceBuilder::new()
        .layer(telemetry.client())
        .timeout(Duration::from_millis(5))
        .service(hyper_client());
    let error = error_of(&telemetry, client, format!("http://{address}/")).await;
    assert_eq!(error, "timeout");
}

#[tokio::test]
async fn a_server_that_hangs_up() {
    let telemetry = Telemetry::new();
    let address = rude_server(b"", false).await;
    let client = telemetry.client().layer(hyper_client());
    let error = error_of(&telemetry, client, format!("http://{address}/")).await;
    assert!(
        ["connection_closed", "connection_reset"].contains(&error.as_str()),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_speak_http() {
    let telemetry = Telemetry::new();
    let address = rude_server(b"\x16\x03\x01\x00\x01\x01 no HTTP\r\n\r\n", true).await;
    let client = telemetry.client().layer(hyper_client());
    let error = error_of(&telemetry, client, format!("http://{address}/")).await;
    assert_eq!(error, "protocol");
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let telemetry = Telemetry::new();
    let address = rude_server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", false).await;
    let client = telemetry.client().layer(hyper_client());
    let url = format!("http://{address}/");
    let response = client.oneshot(request(Method::GET, url)).await.unwrap();
    assert!(telemetry.ended().is_empty());
    response.into_body().collect().await.unwrap_err();
    let span = telemetry.span().await;
    assert!(is_error(&span));
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(text(&span, "error.type").unwrap(), "connection_closed");
}

#[tokio::test]
async fn a_body_that_is_not_read() {
    let telemetry = Telemetry::new();
    let address = rude_server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true).await;
    let client = telemetry.client().layer(hyper_client());
    let response = client
        .oneshot(request(Method::GET, format!("http://{address}/")))
        .await
        .unwrap();
    drop(response);
    let span = telemetry.span().await;
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "in_body");
    assert!(!is_error(&span));
    telemetry.idle("http.client.active_requests").await;
}

#[tokio::test]
async fn the_headers_are_the_end_if_asked() {
    let telemetry = Telemetry::new();
    let address = rude_server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true).await;
    let client = telemetry.client().end_at_headers().layer(hyper_client());
    let url = format!("http://{address}/");
    let response: Response<hyper::body::Incoming> =
        client.oneshot(request(Method::GET, url)).await.unwrap();
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.body.size"), Some(10));
    drop(response);
}

/// Tries again until the third attempt.
#[derive(Clone)]
struct Twice(u32);

impl<B, E> tower::retry::Policy<http::Request<Body>, Response<B>, E> for Twice {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut http::Request<Body>,
        result: &mut Result<Response<B>, E>,
    ) -> Option<Self::Future> {
        let is_bad = result
            .as_ref()
            .is_ok_and(|response| response.status() == 502);
        (is_bad && self.0 > 0).then(|| {
            self.0 -= 1;
            std::future::ready(())
        })
    }

    fn clone_request(&mut self, request: &http::Request<Body>) -> Option<http::Request<Body>> {
        let mut clone = http::Request::new(Body::empty());
        *clone.uri_mut() = request.uri().clone();
        *clone.extensions_mut() = request.extensions().clone();
        Some(clone)
    }
}

#[tokio::test]
async fn attempts_are_counted_across_retries() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let client = ServiceBuilder::new()
        .layer(ResendLayer::new())
        .retry(Twice(2))
        .layer(telemetry.client())
        .service(hyper_client());
    let url = format!("http://{address}/broken");
    let response = client.oneshot(request(Method::GET, url)).await.unwrap();
    body(response).await;
    let mut counts: Vec<_> = telemetry
        .spans(3)
        .await
        .iter()
        .map(|span| number(span, "http.request.resend_count"))
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, [None, Some(1), Some(2)]);
}

#[tokio::test]
async fn attempts_are_counted_across_redirects() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let client = ServiceBuilder::new()
        .layer(ResendLayer::new())
        .layer(tower_http::follow_redirect::FollowRedirectLayer::new())
        .layer(telemetry.client())
        .service(hyper_client());
    let url = format!("http://{address}/from");
    let response = client.oneshot(request(Method::GET, url)).await.unwrap();
    body(response).await;
    let spans = telemetry.spans(2).await;
    let to = spans
        .iter()
        .find(|span| text(span, "url.full").unwrap().ends_with("/to"))
        .unwrap();
    assert_eq!(number(to, "http.request.resend_count"), Some(1));
}

#[tokio::test]
async fn a_parent_is_the_parent() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let tracer = telemetry.tracers.tracer("app");
    let parent = Context::new().with_span(tracer.start("parent"));
    let client = telemetry.client().layer(hyper_client());
    let response = client
        .oneshot(request(Method::GET, format!("http://{address}/")))
        .with_context(parent.clone())
        .await
        .unwrap();
    body(response).await;
    parent.span().end();
    let spans = telemetry.spans(2).await;
    let (parent, child) = (named(&spans, "parent"), named(&spans, "GET"));
    assert_eq!(child.parent_span_id, parent.span_context.span_id());
}

#[tokio::test]
async fn excluded_hosts_are_sent_nothing() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let layer = telemetry.client().exclude_hosts(["127.0.0.1"]);
    let url = format!("http://{address}/");
    let response = layer
        .layer(hyper_client())
        .oneshot(request(Method::GET, url))
        .await
        .unwrap();
    assert_eq!(body(response).await, "");
    assert!(telemetry.ended().is_empty());
    assert!(telemetry.points("http.client.request.duration").is_empty());
}

#[tokio::test]
async fn strangers_are_sent_no_ids() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let layer = telemetry
        .client()
        .without_propagation_to([address.to_string()]);
    let (span, received) = call(
        &telemetry,
        layer,
        request(Method::GET, format!("http://{address}/")),
    )
    .await;
    assert_eq!(received, "");
    assert_eq!(span.name, "GET");
}

#[tokio::test]
async fn nothing_happens_where_telemetry_is_suppressed() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let client = telemetry.client().layer(hyper_client());
    let response = client
        .oneshot(request(Method::GET, format!("http://{address}/")))
        .with_context(Context::new().with_telemetry_suppressed())
        .await
        .unwrap();
    assert_eq!(body(response).await, "");
    assert!(telemetry.ended().is_empty());
    assert!(telemetry.points("http.client.request.duration").is_empty());
    assert!(telemetry.points("http.client.active_requests").is_empty());
}

#[tokio::test]
async fn metrics_have_the_labels_of_clients() {
    let telemetry = Telemetry::new();
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
    let telemetry = Telemetry::new();
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

#[tokio::test]
async fn the_environment_excludes_hosts() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let layer = ClientLayer::with_environment(|variable| {
        (variable == "AZMON_EXCLUDED_HOSTS").then(|| "127.0.0.1".to_owned())
    });
    let client = layer
        .tracer_provider(&telemetry.tracers)
        .layer(hyper_client());
    let response = client
        .oneshot(request(Method::GET, format!("http://{address}/")))
        .await
        .unwrap();
    body(response).await;
    assert!(telemetry.ended().is_empty());
}

#[tokio::test]
async fn a_request_that_is_given_up() {
    let telemetry = Telemetry::new();
    let address = rude_server(b"", true).await;
    let asked = Arc::new(AtomicU32::new(0));
    let client = telemetry.client().layer(hyper_client());
    let count = asked.clone();
    let task = tokio::spawn(async move {
        count.fetch_add(1, Ordering::SeqCst);
        client
            .oneshot(request(Method::GET, format!("http://{address}/")))
            .await
            .map(drop)
    });
    until(|| {
        let points = telemetry.points("http.client.active_requests");
        points.iter().any(|point| point.sum == 1.0)
    })
    .await;
    task.abort();
    let span = telemetry.span().await;
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "before_headers");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    telemetry.idle("http.client.active_requests").await;
}

#[tokio::test]
async fn injection_overwrites_what_was_there() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let mut request = request(Method::GET, format!("http://{address}/"));
    let mut stale = HeaderMap::new();
    stale.append("traceparent", "one".parse().unwrap());
    stale.append("traceparent", "two".parse().unwrap());
    request.headers_mut().extend(stale);
    let (span, received) = call(&telemetry, telemetry.client(), request).await;
    assert!(
        received.contains(&span.span_context.span_id().to_string()),
        "{received}"
    );
    assert_eq!(names(&[span]), ["GET"]);
    assert_eq!(fixture::names(&telemetry.ended()).len(), 1);
}
