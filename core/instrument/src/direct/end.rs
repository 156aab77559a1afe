use std::cell::Cell;
use std::time::SystemTime;

use opentelemetry::trace::SpanRef;

use crate::semconv::HttpEnd;

thread_local! {
    static ENDED: Cell<Option<HttpEnd>> = const { Cell::new(None) };
}

/// Ends a span and hands the end of its exchange to azmon's own span.
///
/// OpenTelemetry's API takes the end as attributes only, and would make and move each of them while the caller waits.
/// So this function leaves the end on the thread, and the span that ends [takes it](take_ended). The worker makes the
/// attributes.
pub fn end(span: &SpanRef<'_>, ended: HttpEnd, ended_at: SystemTime) {
    let mut ended = Some(ended);
    let _ = ENDED.try_with(|place| place.set(ended.take()));
    // A thread that is being destroyed keeps no thread-local value.
    if let Some(ended) = ended {
        ended.set_on(span);
    }
    span.end_with_timestamp(ended_at);
    // If the application had ended the span before, the value is still there.
    take_ended();
}

/// Takes the end that [`end`] left for the span that ends on this thread.
pub fn take_ended() -> Option<HttpEnd> {
    ENDED.try_with(Cell::take).ok().flatten()
}
