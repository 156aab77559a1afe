//! The code inside a call runs in the call's context, and no other code does.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{self, Poll};

use async_trait::async_trait;
use axum::Router;
use axum::http::Extensions;
use axum::routing::get;
use bytes::Bytes;
use http_body::{Body, Frame};
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, SpanId, TraceContextExt};
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next, Result};

use crate::fixture::{Recorder, direct, serve, with};

/// Records the active span when it is called, polled and dropped.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<SpanId>>>);

impl Noting {
    fn note(&self) {
        self.0.lock().unwrap().push(active());
    }
}

impl Middleware for Noting {
    fn handle<'middleware, 'extensions, 'next, 'future>(
        &'middleware self,
        request: Request,
        extensions: &'extensions mut Extensions,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'future>>
    where
        'middleware: 'future,
        'extensions: 'future,
        'next: 'future,
        Self: 'future,
    {
        self.note();
        let on_drop = NoteOnDrop(self.clone());
        Box::pin(async move {
            on_drop.0.note();
            next.run(request, extensions).await
        })
    }
}

struct NoteOnDrop(Noting);

impl Drop for NoteOnDrop {
    fn drop(&mut self) {
        self.0.note();
    }
}

fn active() -> SpanId {
    Context::current().span().span_context().span_id()
}

#[tokio::test]
async fn an_inner_middleware_is_called_polled_and_dropped_in_the_span_of_the_call() {
    let recorder = Recorder::new();
    let url = serve(Router::new().route("/", get(|| async { "hello" }))).await;
    let noting = Noting::default();
    let client = ClientBuilder::new(direct().build().unwrap())
        .with(recorder.middleware())
        .with(noting.clone())
        .build();
    let parent = recorder.parent();
    let call = async {
        let response = client.get(&url).send().await.unwrap();
        let after_response = active();
        response.bytes().await.unwrap();
        [after_response, active()]
    };
    let outside = call.with_context(parent.clone()).await;
    let parent = parent.span().span_context().span_id();
    assert_eq!(outside, [parent; 2]);
    let call = recorder.span().span_context.span_id();
    assert_eq!(*noting.0.lock().unwrap(), [call; 3]);
}

/// Replaces the body of a response by a text that notes its drop.
struct Replacing {
    noting: Noting,
    /// Whether the body reports its end with its last frame, not only when it is asked further.
    tells_end: bool,
}

#[async_trait]
impl Middleware for Replacing {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        next.run(request, extensions).await?;
        let body = Text {
            text: Some("other"),
            tells_end: self.tells_end,
            _on_drop: NoteOnDrop(self.noting.clone()),
        };
        Ok(axum::http::Response::new(reqwest::Body::wrap(body)).into())
    }
}

struct Text {
    text: Option<&'static str>,
    tells_end: bool,
    _on_drop: NoteOnDrop,
}

impl Body for Text {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut task::Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.text.take().map(|text| Ok(Frame::data(text.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.tells_end && self.text.is_none()
    }
}

#[tokio::test]
async fn an_inner_body_is_dropped_at_its_end_in_the_span_of_the_call() {
    let url = serve(Router::new().route("/", get(|| async { "hello" }))).await;
    for tells_end in [true, false] {
        let recorder = Recorder::new();
        let noting = Noting::default();
        let replacing = Replacing {
            noting: noting.clone(),
            tells_end,
        };
        let client = ClientBuilder::new(direct().build().unwrap())
            .with(recorder.middleware())
            .with(replacing)
            .build();
        let noted = || noting.0.lock().unwrap().clone();
        let mut response = client.get(&url).send().await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "other");
        assert_eq!(noted().len(), usize::from(tells_end));
        assert_eq!(response.chunk().await.unwrap(), None);
        let call = recorder.span().span_context.span_id();
        assert_eq!(noted(), [call]);
        drop(response);
        assert_eq!(noted(), [call]);
    }
}

#[tokio::test]
async fn the_hooks_of_a_response_run_in_the_span_of_the_call() {
    let router = Router::new()
        .route("/empty", get(|| async {}))
        .route("/full", get(|| async { "hello" }));
    let url = serve(router).await;
    for path in ["/empty", "/full"] {
        for ends_at_headers in [true, false] {
            let recorder = Recorder::new();
            let [response, end] = [Noting::default(), Noting::default()];
            let [on_response, on_end] = [response.clone(), end.clone()];
            let middleware = recorder
                .middleware()
                .on_response(move |_, _| on_response.note())
                .on_end(move |_, _| on_end.note());
            let client = with(match ends_at_headers {
                true => middleware.end_at_headers(),
                false => middleware,
            });
            let answer = client.get(format!("{url}{path}")).send().await;
            answer.unwrap().bytes().await.unwrap();
            let call = recorder.span().span_context.span_id();
            let noted = [response, end].map(|noting| noting.0.lock().unwrap().clone());
            assert_eq!(noted, [[call], [call]], "{path}, {ends_at_headers}");
        }
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_is_dropped_in_its_span() {
    let recorder = Recorder::new();
    let noting = Noting::default();
    let client = ClientBuilder::new(direct().build().unwrap())
        .with(recorder.middleware())
        .with(noting.clone())
        .build();
    let url = crate::fixture::silence().await;
    let mut call = Box::pin(client.get(&url).send());
    assert!(futures_util::poll!(&mut call).is_pending());
    drop(call);
    let call = recorder.span().span_context.span_id();
    assert_eq!(*noting.0.lock().unwrap(), [call; 3]);
}
