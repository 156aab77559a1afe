use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{self, Poll, ready};

use azmon_instrument::Hook;
use azmon_instrument::http::{Ending, Exchange};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use opentelemetry::ContextGuard;
use reqwest::{Body, Response, Version};

use crate::error_type;
use crate::hooks::OnError;
use crate::response::note_error;

/// The body of a response, which ends the exchange when it ends, and cancels it when it is dropped before.
///
/// It is polled and dropped in the context of its exchange, and says of itself what the inner one does.
pub(crate) struct RecordedBody {
    // Optional so that it can be dropped in the context.
    inner: Option<Inner>,
    exchange: Option<Exchange>,
    on_error: Hook<OnError>,
}

/// A body as reqwest gives it out.
enum Inner {
    Boxed(Body),
    /// What is left of a response that has no trailers: its chunks need no box.
    Chunks(Response),
}

impl RecordedBody {
    pub(crate) fn new(response: Response, exchange: Exchange, on_error: Hook<OnError>) -> Self {
        Self {
            inner: Some(Inner::of(response)),
            exchange: Some(exchange),
            on_error,
        }
    }

    fn observe(&mut self, frame: Option<&Result<Frame<Bytes>, reqwest::Error>>, is_last: bool) {
        let Some(exchange) = &mut self.exchange else {
            return;
        };
        let ending = match frame {
            None => Ending::Complete,
            Some(Err(error)) => {
                note_error(&self.on_error, exchange, error);
                Ending::Failed(error_type::of_body(error))
            }
            Some(Ok(frame)) => match (frame.trailers_ref(), frame.data_ref()) {
                (Some(trailers), _) => Ending::Trailers(trailers),
                // A reader that knows the end has come may not ask for it.
                (None, Some(data)) if exchange.on_data(data.len()) || is_last => Ending::Complete,
                _ => return,
            },
        };
        if let Some(exchange) = self.exchange.take() {
            exchange.end(ending);
        }
    }

    fn attach(&self) -> Option<ContextGuard> {
        self.exchange
            .as_ref()
            .map(|exchange| exchange.context().clone().attach())
    }
}

impl http_body::Body for RecordedBody {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        let _attached = self.attach();
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = ready!(inner.poll_frame(cx));
        let is_last = inner.is_end_stream();
        self.observe(frame.as_ref(), is_last);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Inner::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Inner::size_hint)
    }
}

impl Drop for RecordedBody {
    fn drop(&mut self) {
        let _attached = self.attach();
        self.inner = None;
    }
}

impl Inner {
    fn of(response: Response) -> Self {
        // Only the chunked coding has trailers, and excludes a length: RFC 9112, sections 6.2 and 7.1.2.
        let has_no_trailers =
            response.version() < Version::HTTP_2 && response.content_length().is_some();
        if has_no_trailers {
            Self::Chunks(response)
        } else {
            Self::Boxed(response.into())
        }
    }

    fn poll_frame(
        &mut self,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        match self {
            Self::Boxed(body) => Pin::new(body).poll_frame(cx),
            // The future holds nothing but the response.
            Self::Chunks(response) => {
                let chunk = ready!(pin!(response.chunk()).poll(cx));
                Poll::Ready(chunk.map(|data| data.map(Frame::data)).transpose())
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Boxed(body) => body.is_end_stream(),
            Self::Chunks(response) => response.content_length() == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Boxed(body) => body.size_hint(),
            Self::Chunks(response) => response
                .content_length()
                .map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
