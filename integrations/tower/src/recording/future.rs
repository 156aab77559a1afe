use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use azmon_instrument::http::{Ending, Exchange, error_type_of};
use http::Response;
use http_body::Body;
use opentelemetry::ContextGuard;
use pin_project_lite::pin_project;

use super::{Observer, PanicMark, Scope, SpanEnd};

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
        recording: Recording,
        end: PhantomData<E>,
    }

    impl<F, E> PinnedDrop for ResponseFuture<F, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let _attached = this.recording.attach();
                this.inner.set(None);
                drop(this.recording.scope.take());
            }
        }
    }
}

/// What becomes of a request until the head of its response.
#[derive(Debug)]
pub(crate) struct Recording {
    scope: Scope,
    /// Who wants to see the response of an exchange that is recorded.
    observer: Option<Observer>,
}

impl Recording {
    /// Nothing is recorded.
    pub(crate) fn none(scope: Scope) -> Self {
        Self {
            scope,
            observer: None,
        }
    }

    /// An exchange is recorded.
    #[inline]
    pub(crate) fn of(exchange: Exchange, observer: Observer) -> Self {
        Self {
            scope: Scope::Recorded(Box::new(exchange)),
            observer: Some(observer),
        }
    }

    /// Attaches the context that everything inside runs in.
    pub(crate) fn attach(&self) -> Option<ContextGuard> {
        self.scope.attach()
    }

    /// Runs a part of the service, whose panic would end the exchange.
    pub(crate) fn run<T>(&mut self, part: impl FnOnce() -> T) -> T {
        let _mark = PanicMark::new(&mut self.scope);
        part()
    }
}

impl<F, E> ResponseFuture<F, E> {
    pub(crate) fn new(inner: F, recording: Recording) -> Self {
        Self {
            inner: Some(inner),
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
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let _attached = this.recording.attach();
        let result = ready!(this.recording.run(|| inner.poll(cx)));
        this.inner.set(None);
        Poll::Ready(match result {
            Ok(response) => Ok(respond::<E, B>(response, this.recording)),
            Err(error) => {
                if let Some(exchange) = this.recording.scope.take_exchange() {
                    exchange.end(Ending::Failed(error_type_of(&error)));
                }
                Err(error)
            }
        })
    }
}

fn respond<E, B>(response: Response<B>, recording: &mut Recording) -> Response<E::Body>
where
    E: SpanEnd<B>,
    B: Body,
{
    let (mut head, body) = response.into_parts();
    let mut scope = recording.scope.take();
    if let (Some(exchange), Some(observer)) = (scope.exchange_mut(), &recording.observer) {
        observer.on_response(exchange, &mut head);
        let ending = match exchange.ends_at_headers() {
            true => Some(Ending::AtHeaders),
            false => body.is_end_stream().then_some(Ending::Complete),
        };
        if let Some(ending) = ending
            && let Some(exchange) = scope.take_exchange()
        {
            exchange.end(ending);
        }
    }
    Response::from_parts(head, E::wrap(body, scope))
}

impl<F, E> fmt::Debug for ResponseFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("recording", &self.recording)
            .finish_non_exhaustive()
    }
}
