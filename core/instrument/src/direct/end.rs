use std::cell::Cell;
use std::time::SystemTime;

use opentelemetry::trace::SpanRef;

use crate::semconv::HttpEnd;

thread_local! {
    static ENDED: Cell<Option<HttpEnd>> = const { Cell::new(None) };
}

/// Ends a span of ours with what became of its exchange.
///
/// OpenTelemetry's API takes that as attributes only, each of which would be made and moved while the caller
/// waits. So it is left on the thread, where the span that ends [takes it](take_ended), for the worker to make
/// attributes of.
pub fn end(span: &SpanRef<'_>, ended: HttpEnd, ended_at: SystemTime) {
    let mut ended = Some(ended);
    let _ = ENDED.try_with(|place| place.set(ended.take()));
    // A thread that is ending keeps nothing any more.
    if let Some(ended) = ended {
        ended.set_on(span);
    }
    span.end_with_timestamp(ended_at);
    // The application may have ended the span before.
    take_ended();
}

/// What the exchange of the span that ends on this thread has left.
pub fn take_ended() -> Option<HttpEnd> {
    ENDED.try_with(Cell::take).ok().flatten()
}
