use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};

use azmon_instrument::http::{Ending, Exchange, Rest, Scope, error_type_of};
use http::{Response, response};
use http_body::Body;
use pin_project_lite::pin_project;

use crate::mode::ResponseMode;

pin_project! {
    /// The future of a response.
    ///
    /// Polls and drops the inner future in the context of its exchange.
    ///
    /// # Cancel safety
    /// Dropping it before it is ready ends the exchange as cancelled.
    pub struct ResponseFuture<F, M> {
        // Optional so that it can be dropped in the context.
        #[pin]
        inner: Option<F>,
        in_flight: InFlight,
        mode: PhantomData<M>,
    }

    impl<F, M> PinnedDrop for ResponseFuture<F, M> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let mut entered = this.in_flight.scope.enter();
                this.inner.set(None);
                drop(entered.take());
            }
        }
    }
}

/// Reads and changes the head of a response, on behalf of the layer that started the exchange.
pub(crate) trait OnHead: fmt::Debug + Send + Sync {
    /// `exchange` is `None` if the request is not recorded.
    fn on_head(&self, exchange: Option<&mut Exchange>, head: &mut response::Parts);
}

/// A request up to the head of its response.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) scope: Scope,
    on_head: Option<Arc<dyn OnHead>>,
}

impl InFlight {
    /// A request that is not recorded.
    pub(crate) fn unrecorded(scope: Scope) -> Self {
        Self {
            scope,
            on_head: None,
        }
    }

    /// A request that is not recorded, but whose response head is passed to `on_head`.
    pub(crate) fn observed(on_head: Arc<dyn OnHead>) -> Self {
        Self {
            scope: Scope::None,
            on_head: Some(on_head),
        }
    }

    /// A request that `exchange` records.
    #[inline]
    pub(crate) fn recorded(exchange: Box<Exchange>, on_head: Arc<dyn OnHead>) -> Self {
        Self {
            scope: Scope::Recorded(exchange),
            on_head: Some(on_head),
        }
    }
}

impl<F, M> ResponseFuture<F, M> {
    /// Calls `call`, which makes the inner future, in the context of its exchange.
    #[inline]
    pub(crate) fn new(mut in_flight: InFlight, call: impl FnOnce() -> F) -> Self {
        let entered = in_flight.scope.enter();
        let inner = call();
        drop(entered);
        Self {
            inner: Some(inner),
            in_flight,
            mode: PhantomData,
        }
    }
}

impl<F, M, B, E> Future for ResponseFuture<F, M>
where
    F: Future<Output = Result<Response<B>, E>>,
    M: ResponseMode<B>,
    B: Body,
    E: fmt::Debug + 'static,
{
    type Output = Result<Response<M::Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let InFlight { scope, on_head } = this.in_flight;
        let mut scope = scope.enter();
        let result = ready!(inner.poll(cx));
        this.inner.set(None);
        Poll::Ready(match result {
            Ok(response) => Ok(respond::<M, B>(response, &mut scope, on_head.as_deref())),
            Err(error) => {
                scope.end(Ending::Failed(error_type_of(&error)));
                Err(error)
            }
        })
    }
}

fn respond<M, B>(
    response: Response<B>,
    scope: &mut Scope,
    on_head: Option<&dyn OnHead>,
) -> Response<M::Body>
where
    M: ResponseMode<B>,
    B: Body,
{
    let (mut head, body) = response.into_parts();
    if let Some(on_head) = on_head {
        on_head.on_head(scope.exchange_mut(), &mut head);
        scope.observe_start(Rest::of(&body));
    }
    Response::from_parts(head, M::wrap(body, scope.take()))
}

impl<F, M> fmt::Debug for ResponseFuture<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
