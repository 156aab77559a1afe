//! The scope that all futures and bodies of a request share. They are made, polled and dropped inside [`Scope::enter`].

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use bytes::Buf;
use http_body::Frame;
use opentelemetry::{Context, ContextGuard};

use super::exchange::{Exchange, Rest};
use crate::semconv::{Ending, Side};

/// The scope of a service, a call, or the body of a response.
#[derive(Debug)]
pub enum Scope {
    /// No scope.
    None,
    /// The request is excluded: its context records no spans.
    Excluded(Context),
    /// Nothing is recorded, but the context propagates the caller's trace.
    Unrecorded(Context),
    /// The exchange is recorded.
    Recorded(Box<Exchange>),
}

/// Guard of an entered [`Scope`], while a part of the request runs in it.
///
/// If the stack unwinds through the guard, the exchange ends as [`Ending::Panicked`]. The guard does not catch the
/// panic.
#[derive(Debug)]
pub struct Entered<'a> {
    scope: &'a mut Scope,
    _mark: Option<ServerMark>,
    _attached: Option<ContextGuard>,
    /// The thread was already unwinding: the panic does not belong to the request.
    was_panicking: bool,
}

impl Scope {
    /// Attaches the context until the guard is dropped.
    #[must_use]
    #[inline]
    pub fn enter(&mut self) -> Entered<'_> {
        let mark = match self {
            Self::Recorded(exchange) => ServerMark::of(exchange),
            Self::None | Self::Excluded(_) | Self::Unrecorded(_) => None,
        };
        let attached = self.context().map(|context| context.clone().attach());
        Entered {
            _mark: mark,
            _attached: attached,
            was_panicking: thread::panicking(),
            scope: self,
        }
    }

    /// The context in which everything inside the scope runs.
    #[must_use]
    pub fn context(&self) -> Option<&Context> {
        match self {
            Self::None => None,
            Self::Excluded(context) | Self::Unrecorded(context) => Some(context),
            Self::Recorded(exchange) => Some(exchange.context()),
        }
    }

    /// The exchange, if one is recorded and has not ended.
    pub fn exchange_mut(&mut self) -> Option<&mut Exchange> {
        match self {
            Self::Recorded(exchange) => {
                Some(&mut **exchange).filter(|exchange| !exchange.has_ended())
            }
            Self::None | Self::Excluded(_) | Self::Unrecorded(_) => None,
        }
    }

    /// Takes the scope, and leaves [`Scope::None`].
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::None)
    }

    /// Ends the exchange, unless it has ended. Its context stays attached to what the request still drops.
    pub fn end(&mut self, ending: Ending<'_>) {
        if let Some(exchange) = self.exchange_mut() {
            exchange.end_in_place(ending);
        }
    }

    /// Reads the state of the body, after the exchange has seen the head. Returns true if this ended the exchange.
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

    /// Reads the result of polling a body: a frame, an error by its type, or the end.
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

impl Deref for Entered<'_> {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        self.scope
    }
}

impl DerefMut for Entered<'_> {
    fn deref_mut(&mut self) -> &mut Scope {
        self.scope
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if thread::panicking() && !self.was_panicking {
            // A second panic during unwinding would abort the process.
            let _ = catch_unwind(AssertUnwindSafe(|| self.scope.end(Ending::Panicked)));
        }
    }
}

thread_local! {
    /// The caller's span id of the request that a server records on this thread.
    static SERVED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Marks the thread while it runs a recorded request of a server.
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

/// Whether an outer layer of a server already records the request of this caller on this thread. `caller` is the span
/// id of its `traceparent`, or 0 without one.
#[must_use]
pub fn is_served(caller: u64) -> bool {
    SERVED.get() == Some(caller)
}
