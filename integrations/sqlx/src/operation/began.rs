use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use crate::state::is_silent;

/// Where a transaction began, so that what follows in it can be told there, too.
///
/// It holds no [`Context`]: that would keep the span that is current in it from being given free.
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

    /// The context where the transaction began, as far as it is known.
    pub(crate) fn context(&self) -> Context {
        self.complete(Context::new())
    }

    /// The current context, with the span of where the transaction began if it has none of its own: a transaction
    /// may be moved into a task that has no context.
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
