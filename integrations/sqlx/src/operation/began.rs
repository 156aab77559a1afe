use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use crate::state::is_silent;

/// The context in which a transaction began, as the parent of later spans of the transaction.
///
/// It does not keep a [`Context`], which would keep its active span alive.
#[derive(Debug, Clone)]
pub(crate) struct Began {
    span: Option<SpanContext>,
    is_silent: bool,
}

impl Began {
    /// In the current context.
    pub(crate) fn here() -> Self {
        let context = Context::current();
        let span = context
            .has_active_span()
            .then(|| context.span().span_context().clone());
        Self {
            span: span.filter(SpanContext::is_valid),
            is_silent: is_silent(&context),
        }
    }

    /// The context in which the transaction began, as far as it is known.
    pub(crate) fn context(&self) -> Context {
        self.complete(Context::new())
    }

    /// The current context. If it has no span, it gets the span under which the transaction began: a transaction
    /// may be moved into a task without a context.
    pub(crate) fn or_current(began: Option<&Self>) -> Context {
        let context = Context::current();
        match began {
            Some(began) if !context.has_active_span() => began.complete(context),
            _ => context,
        }
    }

    fn complete(&self, context: Context) -> Context {
        let context = match &self.span {
            Some(span) => context.with_remote_span_context(span.clone()),
            None => context,
        };
        match self.is_silent {
            true => context.with_telemetry_suppressed(),
            false => context,
        }
    }
}
