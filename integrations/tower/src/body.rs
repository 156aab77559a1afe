use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use azmon_instrument::http::{Rest, Scope, error_type_of};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response, which ends the span when it ends.
    ///
    /// Polls and drops the inner body in the context of its exchange, and reports the inner body's size hint and
    /// end. The inner body is dropped as soon as it has ended.
    ///
    /// # Cancel safety
    /// Dropping a polled body before its end ends the exchange as cancelled.
    pub struct ResponseBody<B> {
        // `None` after its end.
        #[pin]
        inner: Option<B>,
        scope: Scope,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let entered = this.scope.enter();
                this.inner.set(None);
                drop(entered);
            }
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
        let mut scope = this.scope.enter();
        if let Some(exchange) = scope.exchange_mut() {
            exchange.on_body_asked_for();
        }
        let frame = ready!(inner.as_mut().poll_frame(cx));
        let rest = Rest::of(&*inner);
        let seen = frame
            .as_ref()
            .map(|frame| frame.as_ref().map_err(error_type_of));
        scope.observe(seen, rest);
        if frame.is_none() || rest.is_end {
            this.inner.set(None);
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
