//! The lookup of global providers, shared by all integrations.
//!
//! Invariants:
//! - The first lookup, and the first after [`providers_replaced`], blocks: every caller sees its result.
//! - Once everything is found, a caller performs a few atomic loads and takes no lock.
//! - One caller at a time repeats the lookup of a missing provider; the others use the current result.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer,
};
use opentelemetry::{Context, InstrumentationScope};

use crate::direct::{self, StartSpan};

/// How long a missing provider is presumed to be still missing.
const INTERVAL: Duration = Duration::from_millis(100);

/// The number of replacements of global providers in this process.
static REPLACEMENTS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static IS_LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// Makes every [`Lookup`] look again. Call it after global providers have been replaced.
pub fn providers_replaced() {
    REPLACEMENTS.fetch_add(1, Ordering::Release);
}

/// A value made from the global providers.
///
/// The first access looks it up. While a part is missing, the lookup is repeated every 100 ms. After
/// [`providers_replaced`] it starts anew.
///
/// The first complete value is kept until the lookup is dropped, even if it is replaced: it is read without counting
/// references.
pub struct Lookup<T> {
    first: OnceLock<Found<T>>,
    found: ArcSwapOption<Found<T>>,
    looking: Mutex<()>,
    created: Instant,
    /// Milliseconds since `created`.
    next_look: AtomicU64,
    /// The number of replacements of the providers.
    replacements: &'static AtomicU64,
}

/// The result of a lookup.
#[derive(Debug)]
struct Found<T> {
    value: T,
    is_complete: bool,
    replacements: u64,
}

/// A reference to a found value.
pub struct Loan<'a, T>(Lent<'a, T>);

enum Lent<'a, T> {
    First(&'a Found<T>),
    Counted(Guard<Option<Arc<Found<T>>>>),
}

impl<T> Lookup<T> {
    /// Makes a lookup that has not run yet.
    #[must_use]
    pub fn new() -> Self {
        Self::of_providers(&REPLACEMENTS)
    }

    fn of_providers(replacements: &'static AtomicU64) -> Self {
        Self {
            first: OnceLock::new(),
            found: ArcSwapOption::const_empty(),
            looking: Mutex::new(()),
            created: Instant::now(),
            next_look: AtomicU64::new(0),
            replacements,
        }
    }

    /// The value; `None` only if `look` calls it recursively.
    ///
    /// `look` receives the previous value, unless providers have been replaced since. It returns the value and whether
    /// the value is complete.
    #[inline]
    pub fn get(&self, now: Instant, look: impl FnOnce(Option<&T>) -> (T, bool)) -> Loan<'_, T> {
        match self.first.get() {
            Some(first) if self.is_current(first) => Loan(Lent::First(first)),
            _ => self.get_counted(now, look),
        }
    }

    fn get_counted(&self, now: Instant, look: impl FnOnce(Option<&T>) -> (T, bool)) -> Loan<'_, T> {
        let found = self.found.load();
        if self.is_final(found.as_deref(), now) {
            return Loan(Lent::Counted(found));
        }
        drop(found);
        self.look(now, look)
    }

    #[cold]
    fn look(&self, now: Instant, look: impl FnOnce(Option<&T>) -> (T, bool)) -> Loan<'_, T> {
        // A provider may itself use instrumented code.
        if IS_LOOKING.get() {
            return self.known();
        }
        let Some(_looking) = self.lock() else {
            return self.known();
        };
        // Another thread may have looked in the meantime.
        if let Some(first) = self.first.get().filter(|first| self.is_current(first)) {
            return Loan(Lent::First(first));
        }
        let found = self.found.load();
        if self.is_final(found.as_deref(), now) {
            return Loan(Lent::Counted(found));
        }
        let replacements = self.replacements.load(Ordering::Acquire);
        let known = found.as_deref().filter(|found| self.is_current(found));
        let (value, is_complete) = {
            let _mark = LookMark::new();
            look(known.map(|found| &found.value))
        };
        let next = self.milliseconds(now) + milliseconds(INTERVAL);
        self.next_look.store(next, Ordering::Relaxed);
        let new = Found {
            value,
            is_complete,
            replacements,
        };
        if is_complete && self.first.get().is_none() {
            return Loan(Lent::First(self.first.get_or_init(|| new)));
        }
        self.found.store(Some(Arc::new(new)));
        Loan(Lent::Counted(self.found.load()))
    }

    /// The last value, while a lookup is under way.
    fn known(&self) -> Loan<'_, T> {
        Loan(Lent::Counted(self.found.load()))
    }

    /// Waits for a running lookup only if no current value exists.
    fn lock(&self) -> Option<MutexGuard<'_, ()>> {
        let found = self.found.load();
        if found.as_deref().is_some_and(|found| self.is_current(found)) {
            match self.looking.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        } else {
            let locked = self.looking.lock();
            Some(locked.unwrap_or_else(PoisonError::into_inner))
        }
    }

    fn is_final(&self, found: Option<&Found<T>>, now: Instant) -> bool {
        found.is_some_and(|found| {
            self.is_current(found)
                && (found.is_complete
                    || self.milliseconds(now) < self.next_look.load(Ordering::Relaxed))
        })
    }

    fn is_current(&self, found: &Found<T>) -> bool {
        found.replacements == self.replacements.load(Ordering::Acquire)
    }

    fn milliseconds(&self, now: Instant) -> u64 {
        milliseconds(now.saturating_duration_since(self.created))
    }
}

impl<T> Loan<'_, T> {
    /// The value.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        let found = match &self.0 {
            Lent::First(first) => Some(*first),
            Lent::Counted(found) => found.as_deref(),
        };
        found.map(|found| &found.value)
    }
}

impl<T> Default for Lookup<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A clone performs its own lookup.
impl<T> Clone for Lookup<T> {
    fn clone(&self) -> Self {
        Self::of_providers(self.replacements)
    }
}

impl<T> fmt::Debug for Lookup<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field(
                "has_looked",
                &(self.first.get().is_some() || self.found.load().is_some()),
            )
            .finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for Loan<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loan").field(&self.get()).finish()
    }
}

/// Marks the thread while it performs a lookup.
struct LookMark(());

impl LookMark {
    fn new() -> Self {
        IS_LOOKING.set(true);
        Self(())
    }
}

impl Drop for LookMark {
    fn drop(&mut self) {
        IS_LOOKING.set(false);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2)
}

/// The direct tracer, or a tracer of the global provider; `None` if neither is installed.
#[must_use]
pub fn global_tracer(scope: InstrumentationScope) -> Option<Arc<dyn StartSpan>> {
    if let Some(tracer) = direct::tracer() {
        return Some(tracer);
    }
    installed_tracer(scope).map(|tracer| Arc::new(tracer) as Arc<dyn StartSpan>)
}

/// The tracer of the global tracer provider; `None` if none is installed.
#[must_use]
pub fn installed_tracer(scope: InstrumentationScope) -> Option<BoxedTracer> {
    let tracer = global::tracer_with_scope(scope);
    (!is_noop_tracer(&tracer)).then_some(tracer)
}

/// The global meter provider; `None` if none is installed.
#[must_use]
pub fn global_meter_provider() -> Option<Arc<dyn MeterProvider + Send + Sync>> {
    let provider = global::meter_provider();
    // The no-op provider is a zero-sized type; one that records has fields.
    (size_of_val(&*provider) > 0).then_some(provider)
}

/// Whether a tracer is the no-op tracer of the API. The check records no span.
///
/// The no-op tracer propagates the parent even if telemetry is suppressed. A tracer of the SDK does not, and starts
/// nothing in that case either.
fn is_noop_tracer(tracer: &impl Tracer) -> bool {
    static SUPPRESSED: LazyLock<Context> = LazyLock::new(|| {
        let parent = SpanContext::new(
            TraceId::from(1),
            SpanId::from(1),
            TraceFlags::NOT_SAMPLED,
            true,
            TraceState::NONE,
        );
        Context::new()
            .with_remote_span_context(parent)
            .with_telemetry_suppressed()
    });
    tracer
        .build_with_context(SpanBuilder::default(), &SUPPRESSED)
        .span_context()
        .is_valid()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use opentelemetry::trace::TracerProvider;
    use opentelemetry::trace::noop::NoopTracer;
    use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider};

    use super::*;

    fn provider(sampler: Sampler) -> (SdkTracerProvider, InMemorySpanExporter) {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_simple_exporter(exporter.clone())
            .build();
        (provider, exporter)
    }

    #[test]
    fn a_tracer_that_does_nothing_is_told_without_a_span() {
        assert!(is_noop_tracer(&NoopTracer::new()));
        let (provider, exporter) = provider(Sampler::AlwaysOn);
        assert!(!is_noop_tracer(&provider.tracer("test")));
        assert!(exporter.get_finished_spans().unwrap().is_empty());
    }

    #[test]
    fn the_global_meter_provider_that_does_nothing_has_no_size() {
        assert_eq!(size_of_val(&*global::meter_provider()), 0);
    }

    fn after(lookup: &Lookup<u32>, milliseconds: u64) -> Instant {
        lookup.created + Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_missing_part_is_looked_for_every_100_ms_and_a_found_one_is_kept() {
        let lookup = Lookup::new();
        let get = |at, result| lookup.get(after(&lookup, at), |_| result).get().copied();
        assert_eq!(get(0, (1, false)), Some(1));
        assert_eq!(get(99, (2, false)), Some(1));
        assert_eq!(get(100, (3, true)), Some(3));
        assert_eq!(get(500, (4, true)), Some(3));
    }

    #[test]
    fn a_lookup_knows_what_was_found_before() {
        let lookup = Lookup::new();
        lookup.get(after(&lookup, 0), |known| {
            assert_eq!(known, None);
            (1, false)
        });
        lookup.get(after(&lookup, 100), |known| {
            assert_eq!(known, Some(&1));
            (2, true)
        });
    }

    #[test]
    fn replaced_providers_are_looked_for_again_and_kept_again() {
        static REPLACED: AtomicU64 = AtomicU64::new(0);
        let lookup = Lookup::of_providers(&REPLACED);
        let get = |at, result| {
            let now = after(&lookup, at);
            let found = lookup.get(now, |known| {
                assert!(known.is_none());
                result
            });
            found.get().copied()
        };
        for round in 0..3 {
            assert_eq!(get(round, (round as u32, true)), Some(round as u32));
            assert_eq!(get(round, (9, true)), Some(round as u32));
            REPLACED.fetch_add(1, Ordering::Release);
        }
    }

    #[test]
    fn every_thread_sees_what_a_lookup_under_way_finds() {
        const THREADS: usize = 16;
        let (lookup, looks) = (Lookup::new(), AtomicUsize::new(0));
        let barrier = Barrier::new(THREADS);
        let look = |_: Option<&u32>| {
            looks.fetch_add(1, Ordering::Relaxed);
            // The other threads arrive while this one performs the lookup.
            for _ in 0..1_000 {
                thread::yield_now();
            }
            (7, true)
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    assert_eq!(lookup.get(after(&lookup, 0), look).get(), Some(&7));
                });
            }
        });
        assert_eq!(looks.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_lookup_that_is_used_while_it_looks_does_not_wait_for_itself() {
        let lookup = Lookup::new();
        let now = after(&lookup, 0);
        let found = lookup.get(now, |_| {
            assert_eq!(lookup.get(now, |_| (1, true)).get(), None);
            (2, true)
        });
        assert_eq!(found.get(), Some(&2));
    }

    #[test]
    fn a_lookup_that_panicked_is_done_again() {
        let lookup = Lookup::new();
        let now = after(&lookup, 0);
        thread::scope(|scope| {
            let panics = scope.spawn(|| {
                lookup.get(now, |_| panic!("on purpose"));
            });
            assert!(panics.join().is_err());
        });
        assert_eq!(lookup.get(now, |_| (1, true)).get(), Some(&1));
    }
}
