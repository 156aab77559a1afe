use azmon_instrument::http::Exchange;
use opentelemetry::{Context, ContextGuard};

/// What a service, or the body of its response, runs in.
#[derive(Debug)]
pub enum Scope {
    /// Nothing of its own.
    None,
    /// The request is excluded: what runs in this context has no telemetry.
    Excluded(Context),
    /// Nothing is recorded, but what runs in this context belongs to the caller's trace.
    Unrecorded(Context),
    /// An exchange that is recorded.
    Recorded(Box<Exchange>),
}

impl Scope {
    /// Attaches the context that everything inside runs in.
    pub(crate) fn attach(&self) -> Option<ContextGuard> {
        let context = match self {
            Self::None => return None,
            Self::Excluded(context) | Self::Unrecorded(context) => context,
            Self::Recorded(exchange) => exchange.context(),
        };
        Some(context.clone().attach())
    }

    /// The exchange, if one is recorded.
    pub(crate) fn exchange_mut(&mut self) -> Option<&mut Exchange> {
        match self {
            Self::Recorded(exchange) => Some(exchange),
            Self::None | Self::Excluded(_) | Self::Unrecorded(_) => None,
        }
    }

    /// Leaves nothing in its place.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::None)
    }

    /// Takes the exchange, if one is recorded.
    pub(crate) fn take_exchange(&mut self) -> Option<Box<Exchange>> {
        match self.take() {
            Self::Recorded(exchange) => Some(exchange),
            other => {
                *self = other;
                None
            }
        }
    }
}
