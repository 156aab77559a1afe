//! A span ends exactly once, with the end of the body.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::{any, get};
use futures_util::StreamExt;
use http_body::Body as _;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;
use reqwest_middleware::ClientWithMiddleware;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::fixture::{
    Recorder, answer, assert_attribute, attribute, converse, read_head, serve, silence, with,
};

/// Streams the received texts, until the sender is dropped.
async fn streaming() -> (String, mpsc::Sender<&'static str>) {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let handler = move || {
        let mut receiver = receiver.lock().unwrap().take().unwrap();
        let chunks = futures_util::stream::poll_fn(move |cx| receiver.poll_recv(cx));
        let body = Body::from_stream(chunks.map(Ok::<_, std::convert::Infallible>));
        async { body }
    };
    let handler = std::sync::Arc::new(handler);
    let router = Router::new().route("/", get(move || handler()));
    (serve(router).await, sender)
}

#[tokio::test]
async fn a_span_covers_the_body() {
    let recorder = Recorder::new();
    let (url, sender) = streaming().await;
    sender.send("one").await.unwrap();
    let mut response = recorder.client().get(&url).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "one");
    assert!(recorder.spans().is_empty());
    let between = SystemTime::now();
    sender.send("three").await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "three");
    assert!(recorder.spans().is_empty());
    drop(sender);
    assert_eq!(response.chunk().await.unwrap(), None);
    let span = recorder.span();
    assert_attribute(&span, "http.response.body.size", 8);
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    assert!(span.end_time >= between);
    drop(response);
    recorder.span();
}

#[tokio::test]
async fn a_span_can_end_at_the_headers() {
    let recorder = Recorder::new();
    let (url, sender) = streaming().await;
    let client = with(recorder.middleware().end_at_headers());
    let response = client.get(&url).send().await.unwrap();
    let span = recorder.span();
    assert_attribute(&span, "http.response.status_code", 200);
    assert_eq!(attribute(&span, "http.response.body.size"), None);
    sender.send("text").await.unwrap();
    drop(sender);
    assert_eq!(response.text().await.unwrap(), "text");
    recorder.span();
}

#[tokio::test]
async fn the_announced_size_is_the_end_even_if_nobody_asks_further() {
    let recorder = Recorder::new();
    let url = serve(Router::new().route("/", get(|| async { "hello" }))).await;
    let mut response = recorder.client().get(&url).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "hello");
    assert_attribute(&recorder.span(), "http.response.body.size", 5);
}

#[tokio::test]
async fn a_connection_is_used_again_after_the_body() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let url = converse(move |mut stream| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            loop {
                read_head(&mut stream).await;
                let hello = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
                stream.write_all(hello).await.unwrap();
            }
        }
    })
    .await;
    let client = Recorder::new().client();
    for _ in 0..20 {
        let response = client.get(&url).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "hello");
    }
    // The client may open a second connection while the first one returns to its pool.
    let connections = connections.load(Ordering::Relaxed);
    assert!(connections < 10, "{connections} connections for 20 calls");
}

#[tokio::test]
async fn responses_without_a_body_end_the_span() {
    let router = Router::new()
        .route("/empty", any(|| async {}))
        .route("/full", any(|| async { "hello" }))
        .route("/204", any(|| async { StatusCode::NO_CONTENT }))
        .route("/304", any(|| async { StatusCode::NOT_MODIFIED }));
    let url = serve(router).await;
    for (method, path) in [
        (reqwest::Method::GET, "/empty"),
        (reqwest::Method::HEAD, "/full"),
        (reqwest::Method::GET, "/204"),
        (reqwest::Method::GET, "/304"),
    ] {
        let recorder = Recorder::new();
        let request = recorder.client().request(method, format!("{url}{path}"));
        let response = request.send().await.unwrap();
        let span = recorder.span();
        assert_eq!(attribute(&span, "azmon.cancelled"), None, "{path}");
        drop(response);
        recorder.span();
    }
}

#[tokio::test]
async fn an_upgraded_connection_is_not_part_of_the_span() {
    let recorder = Recorder::new();
    let url = converse(|mut stream| async move {
        read_head(&mut stream).await;
        let switch =
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        stream.write_all(switch).await.unwrap();
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    })
    .await;
    let request = recorder.client().get(&url);
    let request = request
        .header("connection", "upgrade")
        .header("upgrade", "echo");
    let response = request.send().await.unwrap();
    assert_attribute(&recorder.span(), "http.response.status_code", 101);
    response.upgrade().await.unwrap();
}

#[tokio::test]
async fn trailers_are_passed_on() {
    let recorder = Recorder::new();
    let url = answer(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
          5\r\nhello\r\n0\r\nx-sum: 42\r\n\r\n",
    )
    .await;
    let response = recorder.client().get(&url).send().await.unwrap();
    let mut body = axum::http::Response::<reqwest::Body>::from(response).into_body();
    let mut frames = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        frames.push(frame.unwrap());
    }
    assert_eq!(frames[0].data_ref().unwrap(), "hello");
    assert_eq!(frames[1].trailers_ref().unwrap()["x-sum"], "42");
    let span = recorder.span();
    assert_attribute(&span, "http.response.body.size", 5);
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_an_error() {
    for response in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let recorder = Recorder::new();
        let url = answer(response).await;
        let response = recorder.client().get(&url).send().await.unwrap();
        assert!(response.text().await.unwrap_err().is_decode());
        let span = recorder.span();
        assert_attribute(&span, "error.type", "connection_closed");
        assert_attribute(&span, "http.response.status_code", 200);
        assert_eq!(attribute(&span, "http.response.body.size"), None);
        assert_eq!(span.status, Status::error(""));
    }
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_a_timeout() {
    let recorder = Recorder::new();
    let (url, sender) = streaming().await;
    sender.send("one").await.unwrap();
    let request = recorder.client().get(&url);
    let response = request.timeout(Duration::from_secs(600)).send().await;
    tokio::time::pause();
    let error = response.unwrap().text().await.unwrap_err();
    assert!(error.is_timeout());
    assert_attribute(&recorder.span(), "error.type", "timeout");
}

async fn drop_half_way(client: ClientWithMiddleware) {
    let (url, sender) = streaming().await;
    sender.send("one").await.unwrap();
    let response = client.get(&url).send().await.unwrap();
    let mut stream = response.bytes_stream();
    assert_eq!(stream.next().await.unwrap().unwrap(), "one");
    drop(stream);
    drop(sender);
}

#[tokio::test]
async fn a_body_that_is_dropped_half_way_is_marked() {
    let recorder = Recorder::new();
    drop_half_way(recorder.client()).await;
    let span = recorder.span();
    assert_attribute(&span, "azmon.cancelled", "in_body");
    assert_attribute(&span, "http.response.status_code", 200);
    assert_eq!(span.status, Status::Unset);
}

#[tokio::test]
async fn giving_up_can_be_an_error() {
    let recorder = Recorder::new();
    drop_half_way(with(recorder.middleware().cancellation_is_error(true))).await;
    let span = recorder.span();
    assert_attribute(&span, "error.type", "cancelled");
    assert_eq!(span.status, Status::error(""));
}

async fn given_up(recorder: &Recorder) -> SpanData {
    let (asked, mut was_asked) = mpsc::channel(1);
    let url = converse(move |mut stream| {
        let asked = asked.clone();
        async move {
            read_head(&mut stream).await;
            asked.send(stream).await.unwrap();
        }
    })
    .await;
    let call = recorder.client().get(&url).send();
    tokio::select! {
        _ = call => unreachable!("there is no answer"),
        stream = was_asked.recv() => drop(stream),
    }
    recorder.span()
}

#[tokio::test]
async fn a_call_that_is_given_up_before_the_response_is_marked() {
    let span = given_up(&Recorder::new()).await;
    assert_attribute(&span, "azmon.cancelled", "before_headers");
    assert_eq!(attribute(&span, "error.type"), None);
}

#[tokio::test]
async fn a_call_that_was_never_polled_leaves_nothing() {
    let recorder = Recorder::new();
    let url = silence().await;
    drop(recorder.client().get(&url).send());
    assert!(recorder.spans().is_empty());
}
