use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use azmon_instrument::http::{Ending, error_type_of};
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{PanicMark, Scope};

pin_project! {
    /// The body of a response, which ends the span when it ends.
    ///
    /// It is polled and dropped in the context of its exchange, and says of itself what the inner one does.
    ///
    /// # Cancel safety
    /// Dropping it before its end ends the exchange as cancelled.
    pub struct ResponseBody<B> {
        // Optional so that it can be dropped in the context.
        #[pin]
        inner: Option<B>,
        scope: Scope,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let scope = this.scope.take();
            let _attached = scope.attach();
            this.inner.set(None);
        }
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn new(inner: B, scope: Scope) -> Self {
        Self {
            inner: Some(inner),
            scope,
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Error: fmt::Debug + 'static>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let _attached = this.scope.attach();
        if this.scope.exchange_mut().is_none() {
            return inner.poll_frame(cx);
        }
        let frame = {
            let _mark = PanicMark::new(this.scope);
            ready!(inner.as_mut().poll_frame(cx))
        };
        match &frame {
            Some(Ok(frame)) => observe(this.scope, frame, inner.is_end_stream()),
            Some(Err(error)) => end(this.scope, Ending::Failed(error_type_of(error))),
            None => end(this.scope, Ending::Complete),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// A reader that knows the end has come may not ask for it: so it counts as soon as the body says so, or
/// the announced size is reached.
fn observe<D: Buf>(scope: &mut Scope, frame: &Frame<D>, is_last: bool) {
    if let Some(trailers) = frame.trailers_ref() {
        return end(scope, Ending::Trailers(trailers));
    }
    let is_whole = match (scope.exchange_mut(), frame.data_ref()) {
        (Some(exchange), Some(data)) => exchange.on_data(data.remaining()),
        _ => false,
    };
    if is_whole || is_last {
        end(scope, Ending::Complete);
    }
}

fn end(scope: &mut Scope, ending: Ending<'_>) {
    if let Some(exchange) = scope.take_exchange() {
        exchange.end(ending);
    }
}

impl<B: Body + Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::new(B::default(), Scope::None)
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
