use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use azmon::instrument::http::{Ending, Exchange, error_type_of};
use http::Response;
use http_body::Body;
use opentelemetry::{Context, ContextGuard};
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
        recording: Recording,
        end: PhantomData<E>,
    }

    impl<F, E> PinnedDrop for ResponseFuture<F, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let _attached = this.recording.attach();
                this.inner.set(None);
                this.recording.give_up();
            }
        }
    }
}

/// What becomes of an exchange until the head of its response.
#[derive(Debug)]
pub(crate) enum Recording {
    /// Nothing.
    Ignored,
    /// It has no telemetry of its own, but this context.
    Inside(Context),
    /// It is recorded.
    Observed {
        /// Taken by its end.
        exchange: Option<Box<Exchange>>,
        observer: Observer,
    },
}

impl Recording {
    /// Attaches the context that everything inside runs in.
    pub(crate) fn attach(&self) -> Option<ContextGuard> {
        let context = match self {
            Self::Ignored => return None,
            Self::Inside(context) => context.clone(),
            Self::Observed { exchange, .. } => exchange.as_ref()?.context(),
        };
        Some(context.attach())
    }

    /// Runs a part of the service, whose panic would end the exchange.
    pub(crate) fn run<T>(&mut self, part: impl FnOnce() -> T) -> T {
        match self {
            Self::Observed { exchange, .. } => {
                let _mark = PanicMark::new(exchange);
                part()
            }
            Self::Ignored | Self::Inside(_) => part(),
        }
    }

    fn take_exchange(&mut self) -> Option<Box<Exchange>> {
        match self {
            Self::Observed { exchange, .. } => exchange.take(),
            Self::Ignored | Self::Inside(_) => None,
        }
    }

    fn give_up(&mut self) {
        drop(self.take_exchange());
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
                if let Some(exchange) = this.recording.take_exchange() {
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
    let mut exchange = None;
    if let Recording::Observed {
        exchange: observed,
        observer,
    } = recording
    {
        exchange = observed.take();
        if let Some(exchange) = &mut exchange {
            observer.on_response(exchange, &mut head);
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
