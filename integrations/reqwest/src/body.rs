use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{self, Poll, ready};

use azmon_instrument::http::{Rest, Scope};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use reqwest::{Body, Response, Version};

use crate::error_type;
use crate::settings::ErrorHook;

/// The body of a response. Its end ends the exchange; an earlier drop cancels the exchange.
///
/// Polls and drops the inner body in the context of its exchange, and reports the inner body's size hint and end. The
/// inner body is dropped as soon as it has ended.
pub(crate) struct RecordedBody {
    // `None` after its end.
    inner: Option<Inner>,
    scope: Scope,
    on_error: ErrorHook,
}

/// The inner body, in the forms that reqwest provides.
enum Inner {
    Boxed(Body),
    /// A response without trailers: its chunks need no box.
    Chunks(Response),
}

impl RecordedBody {
    pub(crate) fn new(response: Response, scope: Scope, on_error: ErrorHook) -> Self {
        Self {
            inner: Some(Inner::of(response)),
            scope,
            on_error,
        }
    }
}

impl http_body::Body for RecordedBody {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        let Self {
            inner,
            scope,
            on_error,
        } = &mut *self;
        let Some(body) = inner else {
            return Poll::Ready(None);
        };
        let mut scope = scope.enter();
        if let Some(exchange) = scope.exchange_mut() {
            exchange.on_body_asked_for();
        }
        let frame = ready!(body.poll_frame(cx));
        if let (Some(Err(error)), Some(exchange)) = (&frame, scope.exchange_mut()) {
            on_error.note(exchange, error);
        }
        let rest = body.rest();
        let seen = frame
            .as_ref()
            .map(|frame| frame.as_ref().map_err(error_type::of_body));
        scope.observe(seen, rest);
        if frame.is_none() || rest.is_end {
            *inner = None;
        }
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
        if self.inner.is_some() {
            let _entered = self.scope.enter();
            self.inner = None;
        }
    }
}

impl Inner {
    fn of(response: Response) -> Self {
        // Only the chunked transfer coding has trailers, and it excludes a content length: RFC 9112, sections 6.2
        // and 7.1.2.
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
            // The future holds only the response.
            Self::Chunks(response) => {
                let chunk = ready!(pin!(response.chunk()).poll(cx));
                Poll::Ready(chunk.map(|data| data.map(Frame::data)).transpose())
            }
        }
    }

    fn rest(&self) -> Rest {
        Rest {
            is_end: self.is_end_stream(),
            bytes: self.size_hint().exact(),
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
