//! One runner for all futures and bodies: whatever belongs to a request is made, polled and dropped inside of
//! [`Scope::enter`].

use std::borrow::BorrowMut;
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use bytes::Buf;
use http_body::Frame;
use opentelemetry::{Context, ContextGuard};

use super::exchange::{Exchange, Rest};
use crate::semconv::{Ending, Side};

/// Where a service, a call, or the body of a response runs. The exchange is boxed where it is moved often.
#[derive(Debug)]
pub enum Scope<X: BorrowMut<Exchange> = Box<Exchange>> {
    /// In nothing of its own.
    None,
    /// The request is excluded: nothing in this context is a span.
    Excluded(Context),
    /// Nothing is recorded, but what runs in this context belongs to the caller's trace.
    Unrecorded(Context),
    /// In an exchange that is recorded.
    Recorded(X),
}

/// The time during which a part of the request runs in its [`Scope`].
///
/// An exchange ends as [`Ending::Panicked`] when the stack unwinds through it. Nothing is caught.
#[derive(Debug)]
pub struct Entered<'a, X: BorrowMut<Exchange> = Box<Exchange>> {
    scope: &'a mut Scope<X>,
    _mark: Option<ServerMark>,
    _attached: Option<ContextGuard>,
    /// Unwinding had begun before: the panic is not one of the request.
    was_panicking: bool,
}

impl<X: BorrowMut<Exchange>> Scope<X> {
    /// Attaches the context, until the guard is dropped.
    #[must_use]
    #[inline]
    pub fn enter(&mut self) -> Entered<'_, X> {
        let (mark, context) = match self {
            Self::None => (None, None),
            Self::Excluded(context) | Self::Unrecorded(context) => (None, Some(&*context)),
            Self::Recorded(exchange) => {
                let exchange: &Exchange = (*exchange).borrow();
                (ServerMark::of(exchange), Some(exchange.context()))
            }
        };
        let attached = context.map(|context| context.clone().attach());
        Entered {
            _mark: mark,
            _attached: attached,
            was_panicking: thread::panicking(),
            scope: self,
        }
    }

    /// The exchange, if one is recorded and has not ended.
    pub fn exchange_mut(&mut self) -> Option<&mut Exchange> {
        match self {
            Self::Recorded(exchange) => {
                Some(exchange.borrow_mut()).filter(|exchange| !exchange.has_ended())
            }
            Self::None | Self::Excluded(_) | Self::Unrecorded(_) => None,
        }
    }

    /// Leaves nothing in its place.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::None)
    }

    /// Ends the exchange, unless it has ended. Its context stays, for what is still to be dropped in it.
    pub fn end(&mut self, ending: Ending<'_>) {
        if let Some(exchange) = self.exchange_mut() {
            exchange.end_in_place(ending);
        }
    }

    /// Takes note of the body, whose head the exchange has seen. True if the exchange has ended by that.
    pub fn observe_start(&mut self, rest: Rest) -> bool {
        let ending = self
            .exchange_mut()
            .and_then(|exchange| exchange.ending_at_head(rest));
        let Some(ending) = ending else {
            return false;
        };
        self.end(ending);
        true
    }

    /// Takes note of what a body yielded: a frame, an error by its type, or its end.
    pub fn observe<D: Buf>(&mut self, frame: Option<Result<&Frame<D>, &'static str>>, rest: Rest) {
        let Some(exchange) = self.exchange_mut() else {
            return;
        };
        match frame {
            None => exchange.end_in_place(Ending::Complete),
            Some(Err(error_type)) => exchange.end_in_place(Ending::Failed(error_type)),
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    exchange.end_in_place(Ending::Trailers(trailers));
                } else if let Some(data) = frame.data_ref()
                    && exchange.on_data(data.remaining(), rest)
                {
                    exchange.end_in_place(Ending::Complete);
                }
            }
        }
    }
}

impl<X: BorrowMut<Exchange>> Deref for Entered<'_, X> {
    type Target = Scope<X>;

    fn deref(&self) -> &Scope<X> {
        self.scope
    }
}

impl<X: BorrowMut<Exchange>> DerefMut for Entered<'_, X> {
    fn deref_mut(&mut self) -> &mut Scope<X> {
        self.scope
    }
}

impl<X: BorrowMut<Exchange>> Drop for Entered<'_, X> {
    fn drop(&mut self) {
        if thread::panicking() && !self.was_panicking {
            // Another panic during unwinding would abort the process.
            let _ = catch_unwind(AssertUnwindSafe(|| self.scope.end(Ending::Panicked)));
        }
    }
}

thread_local! {
    /// The `traceparent` span of the request that a server records on this thread at the moment.
    static SERVED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Marks the thread as one that runs a recorded request of a server.
#[derive(Debug)]
struct ServerMark {
    before: Option<u64>,
}

impl ServerMark {
    fn of(exchange: &Exchange) -> Option<Self> {
        (exchange.side() == Side::Server).then(|| Self {
            before: SERVED.replace(Some(exchange.caller())),
        })
    }
}

impl Drop for ServerMark {
    fn drop(&mut self) {
        SERVED.set(self.before);
    }
}

/// Whether a server records the request of this caller on this thread already, by a layer outside. `caller` is
/// the span id of its `traceparent`, and 0 without one.
#[must_use]
pub fn is_served(caller: u64) -> bool {
    SERVED.get() == Some(caller)
}
