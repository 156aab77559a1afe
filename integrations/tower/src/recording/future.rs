use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use azmon::instrument::http::{Ending, Exchange, error_type_of};
use http::Response;
use http_body::Body;
use opentelemetry::Context;
use pin_project_lite::pin_project;

use super::{Observer, PanicMark, SpanEnd};

pin_project! {
    /// The future of a response.
    ///
    /// Polls and drops the inner one in the context of its exchange.
    ///
    /// # Cancel safety
    /// Dropping it before it is ready ends the exchange as cancelled.
    pub struct ResponseFuture<F, E> {
        // Optional so that it can be dropped in the context.
        #[pin]
        inner: Option<F>,
        context: Option<Context>,
        recording: Option<Recording>,
        end: PhantomData<E>,
    }

    impl<F, E> PinnedDrop for ResponseFuture<F, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let _attached = this.context.take().map(Context::attach);
                this.inner.set(None);
                drop(this.recording.take());
            }
        }
    }
}

/// What is recorded of an exchange until the head of its response.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) exchange: Option<Exchange>,
    pub(crate) observer: Observer,
}

impl<F, E> ResponseFuture<F, E> {
    /// `context` is attached while `inner` runs.
    pub(crate) fn new(inner: F, context: Option<Context>, recording: Option<Recording>) -> Self {
        Self {
            inner: Some(inner),
            context,
            recording,
            end: PhantomData,
        }
    }
}

impl<F, E, B, Error> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Response<B>, Error>>,
    E: SpanEnd<B>,
    B: Body,
    Error: fmt::Debug + 'static,
{
    type Output = Result<Response<E::Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let _attached = this.context.clone().map(Context::attach);
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let result = match this.recording {
            Some(recording) => {
                let _mark = PanicMark::new(&mut recording.exchange);
                ready!(inner.poll(cx))
            }
            None => ready!(inner.poll(cx)),
        };
        this.inner.set(None);
        let recording = this.recording.take();
        Poll::Ready(match result {
            Ok(response) => Ok(respond::<E, B>(response, recording)),
            Err(error) => {
                if let Some(exchange) = recording.and_then(|recording| recording.exchange) {
                    exchange.end(Ending::Failed(error_type_of(&error)));
                }
                Err(error)
            }
        })
    }
}

fn respond<E, B>(response: Response<B>, recording: Option<Recording>) -> Response<E::Body>
where
    E: SpanEnd<B>,
    B: Body,
{
    let (mut head, body) = response.into_parts();
    let mut exchange = None;
    if let Some(recording) = recording {
        exchange = recording.exchange;
        if let Some(exchange) = &mut exchange {
            recording.observer.on_response(exchange, &mut head);
        }
    }
    let ending = match &exchange {
        Some(exchange) if exchange.ends_at_headers() => Some(Ending::AtHeaders),
        Some(_) if body.is_end_stream() => Some(Ending::Complete),
        _ => None,
    };
    if let Some(ending) = ending
        && let Some(exchange) = exchange.take()
    {
        exchange.end(ending);
    }
    Response::from_parts(head, E::wrap(body, exchange))
}

impl<F, E> fmt::Debug for ResponseFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("recording", &self.recording)
            .finish_non_exhaustive()
    }
}
