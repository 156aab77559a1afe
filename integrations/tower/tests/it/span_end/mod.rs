//! Every end of a span: through the layer alone where a server hides it, otherwise over real HTTP.

mod context;
mod endings;
mod over_http;

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
    self, TestTelemetry, attribute, is_error, number, open, send, serve, text, until,
};

/// A body with the given frames, which then ends, or stays pending.
#[derive(Default)]
struct Script {
    frames: Vec<Result<Frame<Bytes>, io::Error>>,
    is_known_to_end: bool,
    stays_open: bool,
    /// The announced size of the unsent bytes.
    announced: Option<u64>,
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
        let next = self.frames.pop();
        if let (Some(Ok(frame)), Some(left)) = (&next, &mut self.announced) {
            *left -= frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        match next {
            None if self.stays_open => Poll::Pending,
            next => Poll::Ready(next),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_known_to_end && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced.unwrap_or(42))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.seen.lock().unwrap().push(has_span());
    }
}

async fn respond<B>(
    telemetry: &TestTelemetry,
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
