use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::start_span::StartSpan;

static TRACER: ArcSwapOption<Arc<dyn StartSpan>> = ArcSwapOption::const_empty();

/// Sets the tracer that instrumentation prefers to the global tracer provider; `None` removes it.
pub fn set_tracer(tracer: Option<Arc<dyn StartSpan>>) {
    TRACER.store(tracer.map(Arc::new));
}

/// The tracer that instrumentation prefers to the global tracer provider.
#[must_use]
pub fn tracer() -> Option<Arc<dyn StartSpan>> {
    TRACER.load().as_deref().cloned()
}
