use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, global};

use super::metrics::HttpMetrics;
use crate::direct::{self, NewSpan, StartSpan, StartedSpan};
use crate::semconv::Side;

/// Where an HTTP integration gets its tracer and its instruments from: what it was given, or the global
/// providers.
///
/// A [direct tracer](crate::direct::set_tracer), where one is set, takes precedence over the global tracer
/// provider.
///
/// A global provider may be installed after the integration was built, also after it has seen requests: it
/// is looked for with the first one and then again every 100 ms, until there is one. After that it is not
/// looked for again, so a global provider that is replaced keeps being used.
pub struct Providers {
    scope: InstrumentationScope,
    side: Side,
    is_metered: bool,
    tracer: OnceLock<Arc<dyn StartSpan>>,
    metrics: OnceLock<Arc<HttpMetrics>>,
    created: Instant,
    /// Milliseconds since `created`.
    next_look: AtomicU64,
}

/// What there is at the moment.
#[derive(Debug, Clone, Copy)]
pub struct Resolved<'a> {
    /// Starts spans.
    pub tracer: Option<&'a dyn StartSpan>,
    /// Records metrics.
    pub metrics: Option<&'a Arc<HttpMetrics>>,
}

impl Resolved<'_> {
    /// Whether there is nothing at all.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.tracer.is_none() && self.metrics.is_none()
    }

    /// Starts a span in `parent`, if there is a tracer.
    #[must_use]
    pub(super) fn start_span(&self, new: NewSpan<'_>, parent: &Context) -> StartedSpan {
        match self.tracer {
            Some(tracer) => tracer.start_span(new, parent),
            None => StartedSpan::nothing(parent.clone()),
        }
    }
}

const LOOK_INTERVAL_MILLISECONDS: u64 = 100;

impl Providers {
    /// Looks for the global providers. `scope` names the integration.
    #[must_use]
    pub fn new(scope: InstrumentationScope, side: Side) -> Self {
        Self {
            scope,
            side,
            is_metered: true,
            tracer: OnceLock::new(),
            metrics: OnceLock::new(),
            created: Instant::now(),
            next_look: AtomicU64::new(0),
        }
    }

    /// Uses this provider of tracers.
    pub fn set_tracer_provider<P>(&mut self, provider: &P)
    where
        P: TracerProvider<Tracer: Send + Sync + 'static>,
        <P::Tracer as Tracer>::Span: Send + Sync + 'static,
    {
        let tracer = provider.tracer_with_scope(self.scope.clone());
        self.tracer = OnceLock::from(Arc::new(tracer) as Arc<dyn StartSpan>);
    }

    /// Uses this provider of meters.
    pub fn set_meter_provider(&mut self, provider: &dyn MeterProvider) {
        let meter = provider.meter_with_scope(self.scope.clone());
        self.metrics = OnceLock::from(Arc::new(HttpMetrics::new(&meter, self.side)));
    }

    /// Turns metrics on or off. Defaults to on.
    pub fn set_metered(&mut self, is_metered: bool) {
        self.is_metered = is_metered;
    }

    /// What there is at the moment.
    #[must_use]
    pub fn resolve(&self, now: Instant) -> Resolved<'_> {
        let is_missing =
            self.tracer.get().is_none() || self.is_metered && self.metrics.get().is_none();
        if is_missing {
            self.look(now);
        }
        Resolved {
            tracer: self.tracer.get().map(|tracer| &**tracer),
            metrics: self.metrics.get().filter(|_| self.is_metered),
        }
    }

    fn look(&self, now: Instant) {
        let now = now.saturating_duration_since(self.created).as_millis();
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        let due = self.next_look.load(Ordering::Relaxed);
        let next = now.saturating_add(LOOK_INTERVAL_MILLISECONDS);
        let is_ours = now >= due
            && self
                .next_look
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_ours {
            self.look_for_tracer();
            self.look_for_meter();
        }
    }

    #[cold]
    fn look_for_tracer(&self) {
        if self.tracer.get().is_some() {
            return;
        }
        if let Some(tracer) = direct::tracer() {
            self.tracer.get_or_init(|| tracer);
            return;
        }
        let tracer = global::tracer_with_scope(self.scope.clone());
        if !is_noop(&tracer) {
            self.tracer.get_or_init(|| Arc::new(tracer));
        }
    }

    #[cold]
    fn look_for_meter(&self) {
        if self.is_metered && self.metrics.get().is_none() {
            let provider = global::meter_provider();
            // The no-op provider is a type without a size; one that records has something to hold.
            if size_of_val(&*provider) > 0 {
                let meter = provider.meter_with_scope(self.scope.clone());
                self.metrics
                    .get_or_init(|| Arc::new(HttpMetrics::new(&meter, self.side)));
            }
        }
    }
}

impl Clone for Providers {
    fn clone(&self) -> Self {
        Self {
            scope: self.scope.clone(),
            side: self.side,
            is_metered: self.is_metered,
            tracer: self.tracer.clone(),
            metrics: self.metrics.clone(),
            created: self.created,
            next_look: AtomicU64::new(self.next_look.load(Ordering::Relaxed)),
        }
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers")
            .field("scope", &self.scope.name())
            .field("side", &self.side)
            .field("has_tracer", &self.tracer.get().is_some())
            .field("has_metrics", &self.metrics.get().is_some())
            .finish_non_exhaustive()
    }
}

/// A no-op tracer hands the parent on even where telemetry is suppressed; the SDK's does not, and starts
/// nothing there either.
fn is_noop(tracer: &impl Tracer) -> bool {
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
    use std::time::Duration;

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
        assert!(is_noop(&NoopTracer::new()));
        let (provider, exporter) = provider(Sampler::AlwaysOn);
        assert!(!is_noop(&provider.tracer("test")));
        assert!(exporter.get_finished_spans().unwrap().is_empty());
    }

    #[test]
    fn the_global_meter_provider_that_does_nothing_has_no_size() {
        assert_eq!(size_of_val(&*global::meter_provider()), 0);
    }

    #[test]
    fn missing_providers_are_looked_for_now_and_then() {
        let providers = Providers::new(InstrumentationScope::builder("test").build(), Side::Server);
        let start = providers.created;
        assert!(providers.resolve(start).tracer.is_none());
        assert_eq!(providers.next_look.load(Ordering::Relaxed), 100);
        assert!(
            providers
                .resolve(start + Duration::from_millis(99))
                .tracer
                .is_none()
        );
        assert_eq!(providers.next_look.load(Ordering::Relaxed), 100);
        assert!(
            providers
                .resolve(start + Duration::from_millis(100))
                .metrics
                .is_none()
        );
        assert_eq!(providers.next_look.load(Ordering::Relaxed), 200);
    }
}
