//! Each way that a span can end: through the layer alone for what a server hides, else over real HTTP.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{self, Poll};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use azmon_tower::ServerLayer;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::trace::SpanData;
use tokio::io::AsyncReadExt;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::fixture::{
    self, Telemetry, attribute, is_error, number, open, send, serve, text, until,
};

/// A body of the frames that it is given; asked for more, it says nothing.
#[derive(Default)]
struct Script {
    frames: Vec<Result<Frame<Bytes>, io::Error>>,
    is_known_to_end: bool,
    stays_open: bool,
    seen: Arc<Mutex<Vec<bool>>>,
}

impl Script {
    fn data(chunks: &[&'static str]) -> Self {
        let mut script = Self::default();
        for chunk in chunks.iter().rev() {
            let data = Frame::data(Bytes::from_static(chunk.as_bytes()));
            script.frames.push(Ok(data));
        }
        script
    }
}

fn has_span() -> bool {
    Context::map_current(|context| context.span().span_context().is_valid())
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.seen.lock().unwrap().push(has_span());
        match self.frames.pop() {
            None if self.stays_open => Poll::Pending,
            next => Poll::Ready(next),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_known_to_end && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(42)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.seen.lock().unwrap().push(has_span());
    }
}

async fn respond<B>(
    telemetry: &Telemetry,
    response: Response<B>,
) -> Response<azmon_tower::ResponseBody<B>>
where
    B: Body<Error: std::fmt::Debug + 'static>,
{
    let response = Mutex::new(Some(response));
    let service = service_fn(move |_: Request<()>| {
        let response = response.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(response) }
    });
    let service = telemetry.server().layer(service);
    service.oneshot(Request::new(())).await.unwrap()
}

#[tokio::test]
async fn an_error_of_the_service() {
    let telemetry = Telemetry::new();
    let service = service_fn(|_: Request<()>| async {
        Err::<Response<Empty<Bytes>>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
    });
    let result = telemetry
        .server()
        .layer(service)
        .oneshot(Request::new(()))
        .await;
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "connection_refused");
    assert!(is_error(&span));
    telemetry.idle("http.server.active_requests").await;
}

#[tokio::test]
async fn a_body_that_ended_before_it_began() {
    let telemetry = Telemetry::new();
    let response = respond(&telemetry, Response::new(Empty::<Bytes>::new())).await;
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.body.size"), Some(0));
    drop(response);
    telemetry.span().await;
}

#[tokio::test]
async fn the_end_of_the_body() {
    let telemetry = Telemetry::new();
    let response = respond(&telemetry, Response::new(Script::data(&["ab", "c"]))).await;
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    body.frame().await.unwrap().unwrap();
    assert!(telemetry.ended().is_empty());
    assert!(body.frame().await.is_none());
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.body.size"), Some(3));
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    drop(body);
    telemetry.span().await;
}

#[tokio::test]
async fn the_last_frame_of_a_body_that_knows_it() {
    let telemetry = Telemetry::new();
    let mut script = Script::data(&["abc"]);
    script.is_known_to_end = true;
    let mut body = respond(&telemetry, Response::new(script)).await.into_body();
    body.frame().await.unwrap().unwrap();
    telemetry.span().await;
}

#[tokio::test]
async fn the_last_byte_of_an_announced_size() {
    let telemetry = Telemetry::new();
    let mut response = Response::new(Script::data(&["ab", "c"]));
    response.headers_mut().insert("content-length", 3.into());
    let mut body = respond(&telemetry, response).await.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(telemetry.ended().is_empty());
    body.frame().await.unwrap().unwrap();
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
}

#[tokio::test]
async fn trailers() {
    let telemetry = Telemetry::new();
    let mut script = Script::data(&["abc"]);
    script
        .frames
        .insert(0, Ok(Frame::trailers(HeaderMap::new())));
    let mut body = respond(&telemetry, Response::new(script)).await.into_body();
    body.frame().await.unwrap().unwrap();
    body.frame().await.unwrap().unwrap();
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.body.size"), Some(3));
}

#[tokio::test]
async fn an_error_of_the_body() {
    let telemetry = Telemetry::new();
    let mut script = Script::data(&["abc"]);
    script.frames.insert(0, Err(io::ErrorKind::TimedOut.into()));
    let body = respond(&telemetry, Response::new(script)).await.into_body();
    body.collect().await.unwrap_err();
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "timeout");
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert!(is_error(&span));
}

#[tokio::test]
async fn a_body_that_is_dropped() {
    for (is_an_error, error_type) in [(false, None), (true, Some("cancelled"))] {
        let telemetry = Telemetry::new();
        let service = service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Script::data(&["a", "b"])))
        });
        let layer = telemetry.server().cancellation_is_error(is_an_error);
        let response = layer
            .layer(service)
            .oneshot(Request::new(()))
            .await
            .unwrap();
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        let span = telemetry.span().await;
        assert_eq!(text(&span, "azmon.cancelled").unwrap(), "in_body");
        assert_eq!(text(&span, "error.type").as_deref(), error_type);
        assert_eq!(is_error(&span), is_an_error);
        assert_eq!(number(&span, "http.response.body.size"), None);
        telemetry.idle("http.server.active_requests").await;
    }
}

#[tokio::test]
async fn a_future_that_is_dropped() {
    let telemetry = Telemetry::new();
    let service = service_fn(|_: Request<()>| {
        std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>()
    });
    let mut service = telemetry.server().layer(service);
    let future = service.call(Request::new(()));
    assert!(futures_util::poll!(Box::pin(future)).is_pending());
    let span = telemetry.span().await;
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "before_headers");
    assert_eq!(number(&span, "http.response.status_code"), None);
    assert!(!is_error(&span));
    telemetry.idle("http.server.active_requests").await;
}

async fn panics<S>(service: S) -> Telemetry
where
    S: Service<Request<()>, Response = Response<Script>, Error = Infallible, Future: Send>
        + Send
        + 'static,
{
    let telemetry = Telemetry::new();
    let service = telemetry.server().layer(service);
    let task = tokio::spawn(async move {
        let response = service.oneshot(Request::new(())).await.unwrap();
        response.into_body().collect().await.unwrap();
    });
    assert!(task.await.unwrap_err().is_panic());
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "panic");
    assert!(is_error(&span));
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    telemetry.idle("http.server.active_requests").await;
    telemetry
}

#[tokio::test]
async fn a_panic_of_the_handler() {
    panics(service_fn(|_: Request<()>| async { panic!("on purpose") })).await;
}

#[tokio::test]
async fn a_panic_of_the_call_itself() {
    let call = |_: Request<()>| -> std::future::Ready<Result<Response<Script>, Infallible>> {
        panic!("on purpose")
    };
    panics(service_fn(call)).await;
}

#[tokio::test]
async fn a_panic_of_the_body() {
    let telemetry = Telemetry::new();
    let body = StreamBody::new(stream::poll_fn(
        |_| -> Poll<Option<Result<Frame<Bytes>, Infallible>>> { panic!("on purpose") },
    ));
    let response = respond(&telemetry, Response::new(body)).await;
    let task = tokio::spawn(async move { response.into_body().collect().await.map(drop) });
    assert!(task.await.unwrap_err().is_panic());
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "panic");
}

#[tokio::test]
async fn the_headers_if_asked_and_the_body_stays_what_it_is() {
    let telemetry = Telemetry::new();
    let service = service_fn(|_: Request<()>| async {
        let mut response = Response::new(Script::data(&["abc"]));
        response.headers_mut().insert("content-length", 3.into());
        Ok::<_, Infallible>(response)
    });
    let service = telemetry.server().end_at_headers().layer(service);
    let response: Response<Script> = service.oneshot(Request::new(())).await.unwrap();
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(number(&span, "http.response.body.size"), Some(3));
    drop(response);
}

#[tokio::test]
async fn the_body_says_of_itself_what_the_inner_one_does() {
    let telemetry = Telemetry::new();
    let body = respond(
        &telemetry,
        Response::new(Full::new(Bytes::from_static(b"hello"))),
    )
    .await
    .into_body();
    assert_eq!(body.size_hint().exact(), Some(5));
    assert!(!body.is_end_stream());
    let body = respond(&telemetry, Response::new(Script::data(&[])))
        .await
        .into_body();
    assert_eq!(body.size_hint().exact(), Some(42));
    let body = respond(
        &telemetry,
        Response::new(Full::new(Bytes::from_static(b""))),
    )
    .await
    .into_body();
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn everything_runs_and_is_dropped_inside_of_the_context() {
    let telemetry = Telemetry::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let see = seen.clone();
    let service = service_fn(move |_: Request<()>| {
        see.lock().unwrap().push(has_span());
        let see = see.clone();
        async move {
            see.lock().unwrap().push(has_span());
            tokio::task::yield_now().await;
            see.lock().unwrap().push(has_span());
            let mut script = Script::data(&["a"]);
            script.seen = see.clone();
            script.stays_open = true;
            Ok::<_, Infallible>(Response::new(script))
        }
    });
    let response = telemetry
        .server()
        .layer(service)
        .oneshot(Request::new(()))
        .await
        .unwrap();
    assert!(!has_span());
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(futures_util::poll!(body.frame()).is_pending());
    drop(body);
    assert!(!has_span());
    assert_eq!(*seen.lock().unwrap(), [true; 6]);
}

/// The context in which the body of a response is sent that a layer does not record.
async fn context_of_a_body(layer: ServerLayer) -> Context {
    let (sender, seen) = std::sync::mpsc::channel();
    let service = service_fn(move |_: Request<()>| {
        let sender = sender.clone();
        let frames = stream::once(async move {
            sender.send(Context::current()).unwrap();
            Ok::<_, Infallible>(Frame::data(Bytes::new()))
        });
        async move { Ok::<_, Infallible>(Response::new(StreamBody::new(Box::pin(frames)))) }
    });
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let request = Request::get("/x").header("traceparent", caller);
    let response = layer.layer(service).oneshot(request.body(()).unwrap());
    response.await.unwrap().into_body().collect().await.unwrap();
    seen.try_recv().unwrap()
}

#[tokio::test]
async fn what_is_not_recorded_is_sent_in_its_context_too() {
    let telemetry = Telemetry::new();
    let excluded = telemetry.server().exclude_paths(["/x"]);
    let context = context_of_a_body(excluded.clone()).await;
    assert!(context.is_telemetry_suppressed());
    let context = context_of_a_body(excluded.suppress_excluded(false)).await;
    assert!(!context.is_telemetry_suppressed());
    let unsampled = ServerLayer::with_environment(|_| None).tracer_provider(&telemetry.tracers);
    let context = context_of_a_body(unsampled.metrics(false)).await;
    let span = context.span().span_context().clone();
    assert!(span.is_valid() && !span.is_sampled());
    assert_eq!(telemetry.ended().len(), 0);
}

#[tokio::test]
async fn a_future_is_dropped_inside_of_the_context() {
    struct OnDrop(Rc<RefCell<Option<bool>>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            *self.0.borrow_mut() = Some(has_span());
        }
    }
    let telemetry = Telemetry::new();
    let seen = Rc::new(RefCell::new(None));
    let held = seen.clone();
    let service = service_fn(move |_: Request<()>| {
        let held = OnDrop(held.clone());
        async move {
            let _held = held;
            std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>().await
        }
    });
    drop(telemetry.server().layer(service).call(Request::new(())));
    assert_eq!(*seen.borrow(), Some(true));
}

#[tokio::test]
async fn a_task_that_keeps_the_context_does_not_keep_the_span_open() {
    let telemetry = Telemetry::new();
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let service = service_fn(move |_: Request<()>| {
        *keep.lock().unwrap() = Some(Context::current());
        async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
    });
    telemetry
        .server()
        .layer(service)
        .oneshot(Request::new(()))
        .await
        .unwrap();
    telemetry.span().await;
    *kept.lock().unwrap() = None;
    telemetry.span().await;
}

async fn span_over_http(method: &str, path: &str, router: Router) -> (SpanData, String) {
    let telemetry = Telemetry::new();
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
    let telemetry = Telemetry::new();
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
    let telemetry = Telemetry::new();
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
    let telemetry = Telemetry::new();
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
