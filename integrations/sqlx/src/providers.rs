//! Where telemetry goes: the providers of the options, or the global ones.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use opentelemetry::Context;
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer,
};

use crate::TraceOptions;
use crate::metrics::Instruments;
use crate::options::scope;

/// What was found at the last look.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) tracer: Option<Arc<BoxedTracer>>,
    pub(crate) instruments: Option<Arc<Instruments>>,
}

impl Found {
    pub(crate) fn is_nothing(&self) -> bool {
        self.tracer.is_none() && self.instruments.is_none()
    }

    fn is_complete(&self) -> bool {
        self.tracer.is_some() && self.instruments.is_some()
    }
}

/// Looks for providers when it is first asked, and then again and again: they may be installed later, and others
/// may be installed in their place.
///
/// Whoever asks while nothing is known yet waits for the look that is under way, so that nobody misses what another
/// is about to find. Tracer and instruments are published together.
#[derive(Debug)]
pub(crate) struct Lookup {
    found: ArcSwap<Found>,
    created: Instant,
    /// Milliseconds after `created`.
    next_look: AtomicU64,
    looking: Mutex<()>,
}

impl Lookup {
    /// Between two looks for what is missing.
    const INTERVAL: Duration = Duration::from_millis(100);
    /// Between two looks for what has taken the place of what was found.
    const INTERVAL_WHEN_FOUND: Duration = Duration::from_secs(1);

    pub(crate) fn new() -> Self {
        Self {
            found: ArcSwap::default(),
            created: Instant::now(),
            next_look: AtomicU64::new(0),
            looking: Mutex::new(()),
        }
    }

    /// What is known at `now`, or what `look` finds if it is time to look. `look` is given what is known, and tells
    /// nothing if that can never change.
    pub(crate) fn get(
        &self,
        now: Instant,
        look: impl FnOnce(&Found) -> (Found, Lasts),
    ) -> Arc<Found> {
        let elapsed = now.saturating_duration_since(self.created).as_millis() as u64;
        if elapsed >= self.next_look.load(Ordering::Acquire) {
            self.look(elapsed, look);
        }
        self.found.load_full()
    }

    #[cold]
    fn look(&self, elapsed: u64, look: impl FnOnce(&Found) -> (Found, Lasts)) {
        let known = self.found.load();
        let under_way = match known.is_nothing() {
            true => Some(self.looking.lock().unwrap_or_else(PoisonError::into_inner)),
            false => self.looking.try_lock().ok(),
        };
        let is_due = || elapsed >= self.next_look.load(Ordering::Acquire);
        let Some(_guard) = under_way.filter(|_| is_due()) else {
            return;
        };
        let (found, lasts) = look(&self.found.load());
        let interval = match found.is_complete() {
            true => Self::INTERVAL_WHEN_FOUND,
            false => Self::INTERVAL,
        };
        let next = match lasts {
            Lasts::ForEver => u64::MAX,
            Lasts::UntilReplaced => elapsed.saturating_add(interval.as_millis() as u64),
        };
        self.found.store(Arc::new(found));
        self.next_look.store(next, Ordering::Release);
    }
}

/// How long what was found is all that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    ForEver,
    UntilReplaced,
}

/// The tracer of `options`, or else the global one, unless no provider is installed.
pub(crate) fn look_for_tracer(options: &TraceOptions) -> Option<Arc<BoxedTracer>> {
    if options.tracer.is_some() {
        return options.tracer.clone();
    }
    let tracer = global::tracer_with_scope(scope());
    (!is_noop(&tracer)).then(|| Arc::new(tracer))
}

/// Whether `tracer` makes spans that go nowhere.
///
/// The tracer that stands for none passes on the parent as it is. Any other makes a span of its own, or, as
/// telemetry is suppressed, an invalid one; nothing is recorded either way.
fn is_noop(tracer: &BoxedTracer) -> bool {
    let parent = SpanContext::new(
        TraceId::from(1),
        SpanId::from(1),
        TraceFlags::NOT_SAMPLED,
        true,
        TraceState::NONE,
    );
    let context = Context::new()
        .with_remote_span_context(parent.clone())
        .with_telemetry_suppressed();
    *tracer
        .build_with_context(SpanBuilder::default(), &context)
        .span_context()
        == parent
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use opentelemetry::trace::TracerProvider;
    use opentelemetry::trace::noop::NoopTracerProvider;
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

    use super::*;

    fn boxed<P>(provider: &P) -> BoxedTracer
    where
        P: TracerProvider<Tracer: Send + Sync + 'static>,
        <P::Tracer as Tracer>::Span: Send + Sync + 'static,
    {
        BoxedTracer::new(Box::new(provider.tracer("test")))
    }

    fn tracer() -> Found {
        Found {
            tracer: Some(Arc::new(boxed(&NoopTracerProvider::new()))),
            instruments: None,
        }
    }

    #[test]
    fn the_tracer_that_stands_for_none_is_recognised_without_a_span() {
        assert!(is_noop(&boxed(&NoopTracerProvider::new())));
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .build();
        assert!(!is_noop(&boxed(&provider)));
        assert_eq!(exporter.get_finished_spans().unwrap().len(), 0);
    }

    #[test]
    fn what_is_missing_is_looked_for_ten_times_a_second() {
        let lookup = Lookup::new();
        let at = |milliseconds| lookup.created + Duration::from_millis(milliseconds);
        let looks = AtomicUsize::new(0);
        let look = |milliseconds, found: fn() -> Found| {
            let found = lookup.get(at(milliseconds), |_| {
                looks.fetch_add(1, Ordering::Relaxed);
                (found(), Lasts::UntilReplaced)
            });
            (!found.is_nothing(), looks.load(Ordering::Relaxed))
        };
        assert_eq!(look(0, Found::default), (false, 1));
        assert_eq!(look(99, tracer), (false, 1));
        assert_eq!(look(100, Found::default), (false, 2));
        assert_eq!(look(200, tracer), (true, 3));
        assert_eq!(look(299, Found::default), (true, 3));
        // The instruments are still missing, and the tracer may be another by now.
        assert_eq!(look(300, Found::default), (false, 4));
    }

    #[test]
    fn what_lasts_is_looked_for_once() {
        let lookup = Lookup::new();
        lookup.get(lookup.created, |_| (tracer(), Lasts::ForEver));
        let later = lookup.created + Duration::from_secs(1 << 30);
        let found = lookup.get(later, |_| unreachable!("it never changes"));
        assert!(!found.is_nothing());
    }

    #[test]
    fn everyone_who_asks_during_the_first_look_gets_what_it_finds() {
        const THREADS: usize = 16;
        for _ in 0..200 {
            let lookup = Lookup::new();
            let (start, looks) = (Barrier::new(THREADS), AtomicUsize::new(0));
            let ask = || {
                start.wait();
                let found = lookup.get(Instant::now(), |_| {
                    looks.fetch_add(1, Ordering::Relaxed);
                    thread::yield_now();
                    (tracer(), Lasts::UntilReplaced)
                });
                assert!(!found.is_nothing());
            };
            thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(ask))));
            assert_eq!(looks.load(Ordering::Relaxed), 1);
        }
    }

    #[test]
    fn who_knows_something_waits_for_nobody() {
        let lookup = Lookup::new();
        lookup.get(lookup.created, |_| (tracer(), Lasts::UntilReplaced));
        let later = lookup.created + Duration::from_secs(2);
        let found = lookup.get(later, |_| {
            // A look that lasts: others go on with what is known.
            let found = lookup.get(later, |_| unreachable!("one looks at a time"));
            assert!(!found.is_nothing());
            (Found::default(), Lasts::UntilReplaced)
        });
        assert!(found.is_nothing());
    }
}
