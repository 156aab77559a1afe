use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, global};

use super::metrics::HttpMetrics;
use crate::direct::{self, NewSpan, StartSpan, StartedSpan};
use crate::lookup::{Loan, Lookup};
use crate::semconv::Side;

/// Where an HTTP integration gets its tracer and its instruments from: the providers that it was given, or the
/// global ones.
///
/// A [direct tracer](crate::direct::set_tracer), where one is set, takes precedence over the global tracer
/// provider.
///
/// Providers that are installed when the integration is built, or when its first request comes, are seen by
/// every request. A missing one is looked for again every 100 ms. Once found, a global provider keeps being
/// used, until [`providers_replaced`](crate::providers_replaced) tells that there are others.
#[derive(Debug, Clone)]
pub struct Providers {
    scope: InstrumentationScope,
    side: Side,
    is_metered: bool,
    given: Available,
    lookup: Lookup<Available>,
}

/// A tracer and instruments, as far as they are known.
#[derive(Clone, Default)]
struct Available {
    tracer: Option<Arc<dyn StartSpan>>,
    metrics: Option<Arc<HttpMetrics>>,
}

/// The tracer and the instruments of one request.
#[derive(Debug)]
pub struct Resolved(Loan<Available>);

impl Resolved {
    /// Starts spans.
    #[must_use]
    pub fn tracer(&self) -> Option<&dyn StartSpan> {
        self.0.get()?.tracer.as_deref()
    }

    /// Records metrics.
    #[must_use]
    pub fn metrics(&self) -> Option<&Arc<HttpMetrics>> {
        self.0.get()?.metrics.as_ref()
    }

    /// Whether neither is there.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.tracer().is_none() && self.metrics().is_none()
    }

    /// Starts a span in `parent`, if there is a tracer.
    #[must_use]
    pub(super) fn start_span(&self, new: NewSpan<'_>, parent: &Context) -> StartedSpan {
        match self.tracer() {
            Some(tracer) => tracer.start_span(new, parent),
            None => StartedSpan::nothing(parent.clone()),
        }
    }
}

impl Providers {
    /// Looks for the global providers. `scope` names the integration.
    #[must_use]
    pub fn new(scope: InstrumentationScope, side: Side) -> Self {
        Self {
            scope,
            side,
            is_metered: true,
            given: Available::default(),
            lookup: Lookup::new(),
        }
    }

    /// Uses this provider of tracers.
    pub fn set_tracer_provider<P>(&mut self, provider: &P)
    where
        P: TracerProvider<Tracer: Send + Sync + 'static>,
        <P::Tracer as Tracer>::Span: Send + Sync + 'static,
    {
        self.given.tracer = Some(Arc::new(provider.tracer_with_scope(self.scope.clone())));
        self.lookup = Lookup::new();
    }

    /// Uses this provider of meters.
    pub fn set_meter_provider(&mut self, provider: &dyn MeterProvider) {
        self.given.metrics = Some(self.instruments_of(provider));
        self.lookup = Lookup::new();
    }

    /// Turns metrics on or off. Defaults to on.
    pub fn set_metered(&mut self, is_metered: bool) {
        self.is_metered = is_metered;
        self.lookup = Lookup::new();
    }

    /// The tracer and the instruments at the moment, found together.
    #[must_use]
    #[inline]
    pub fn resolve(&self, now: Instant) -> Resolved {
        Resolved(self.lookup.get(now, |known| self.look(known)))
    }

    #[cold]
    fn look(&self, known: Option<&Available>) -> (Available, bool) {
        let known = known.unwrap_or(&self.given).clone();
        let available = Available {
            tracer: known.tracer.or_else(|| self.global_tracer()),
            metrics: known
                .metrics
                .or_else(|| self.global_instruments())
                .filter(|_| self.is_metered),
        };
        let is_complete =
            available.tracer.is_some() && (available.metrics.is_some() || !self.is_metered);
        (available, is_complete)
    }

    fn global_tracer(&self) -> Option<Arc<dyn StartSpan>> {
        if let Some(tracer) = direct::tracer() {
            return Some(tracer);
        }
        let tracer = global::tracer_with_scope(self.scope.clone());
        (!is_noop(&tracer)).then(|| Arc::new(tracer) as Arc<dyn StartSpan>)
    }

    fn global_instruments(&self) -> Option<Arc<HttpMetrics>> {
        let provider = global::meter_provider();
        // The no-op provider is a type without a size; one that records has something to hold.
        (self.is_metered && size_of_val(&*provider) > 0).then(|| self.instruments_of(&*provider))
    }

    fn instruments_of(&self, provider: &dyn MeterProvider) -> Arc<HttpMetrics> {
        let meter = provider.meter_with_scope(self.scope.clone());
        Arc::new(HttpMetrics::new(&meter, self.side))
    }
}

impl fmt::Debug for Available {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Available")
            .field("tracer", &self.tracer.is_some())
            .field("metrics", &self.metrics.is_some())
            .finish()
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
    fn given_providers_are_used_without_a_lookup_of_global_ones() {
        let (tracers, _) = provider(Sampler::AlwaysOn);
        let mut providers =
            Providers::new(InstrumentationScope::builder("test").build(), Side::Server);
        let now = Instant::now();
        assert!(providers.resolve(now).is_nothing());
        providers.set_tracer_provider(&tracers);
        providers.set_metered(false);
        let resolved = providers.resolve(now);
        assert!(resolved.tracer().is_some() && resolved.metrics().is_none());
    }
}
