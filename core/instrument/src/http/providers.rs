use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope};

use super::metrics::HttpMetrics;
use crate::direct::{NewSpan, StartSpan, StartedSpan};
use crate::lookup::{Loan, Lookup, global_meter_provider, global_tracer};
use crate::semconv::Side;

type MakeTracer = dyn Fn(InstrumentationScope) -> Arc<dyn StartSpan> + Send + Sync;

/// The providers that the application chose instead of the global ones.
#[derive(Clone, Default)]
pub struct ProviderChoice {
    tracers: Option<Arc<MakeTracer>>,
    meters: Option<Arc<dyn MeterProvider + Send + Sync>>,
    is_unmetered: bool,
    duration_boundaries: Option<Arc<[f64]>>,
}

/// The source of an integration's tracer and instruments: the chosen providers, or the global ones.
///
/// A [direct tracer](crate::direct::set_tracer), if one is set, takes precedence over the global tracer provider.
///
/// The first request looks the providers up, and sees those that are installed by then. A missing provider is looked up
/// again every 100 ms. A found global provider stays in use until [`providers_replaced`](crate::providers_replaced) is
/// called.
#[derive(Debug, Clone)]
pub struct Providers {
    scope: InstrumentationScope,
    side: Side,
    lookup: Lookup<Available>,
}

/// The tracer and the instruments that were found.
#[derive(Clone, Default)]
struct Available {
    tracer: Option<Arc<dyn StartSpan>>,
    metrics: Option<Arc<HttpMetrics>>,
}

/// The tracer and the instruments of one request.
#[derive(Debug)]
pub struct Resolved<'a>(Loan<'a, Available>);

impl ProviderChoice {
    /// Chooses this tracer provider.
    pub fn set_tracer_provider<P>(&mut self, provider: &P)
    where
        P: TracerProvider<Tracer: Send + Sync + 'static> + Clone + Send + Sync + 'static,
        <P::Tracer as Tracer>::Span: Send + Sync + 'static,
    {
        let provider = provider.clone();
        self.tracers = Some(Arc::new(move |scope| {
            Arc::new(provider.tracer_with_scope(scope))
        }));
    }

    /// Chooses this meter provider.
    pub fn set_meter_provider<P>(&mut self, provider: &P)
    where
        P: MeterProvider + Clone + Send + Sync + 'static,
    {
        self.meters = Some(Arc::new(provider.clone()));
    }

    /// Turns metrics on or off. Defaults to on.
    pub fn set_metered(&mut self, is_metered: bool) {
        self.is_unmetered = !is_metered;
    }

    /// Sets the boundaries of the duration histogram, in seconds.
    pub fn set_duration_boundaries(&mut self, seconds: Vec<f64>) {
        self.duration_boundaries = Some(seconds.into());
    }
}

impl Providers {
    /// Makes a source that looks the providers up on the first request. `scope` names the integration.
    #[must_use]
    pub fn new(scope: InstrumentationScope, side: Side) -> Self {
        Self {
            scope,
            side,
            lookup: Lookup::new(),
        }
    }

    /// Returns the current tracer and instruments, from one lookup.
    #[must_use]
    #[inline]
    pub fn resolve(&self, choice: &ProviderChoice, now: Instant) -> Resolved<'_> {
        Resolved(self.lookup.get(now, |known| self.look(choice, known)))
    }

    /// Discards the lookup, because the choice changed.
    pub fn reset(&mut self) {
        self.lookup = Lookup::new();
    }

    #[cold]
    fn look(&self, choice: &ProviderChoice, known: Option<&Available>) -> (Available, bool) {
        let known = known.cloned().unwrap_or_default();
        let tracer = known.tracer.or_else(|| match &choice.tracers {
            Some(make) => Some(make(self.scope.clone())),
            None => global_tracer(self.scope.clone()),
        });
        let metrics = known.metrics.or_else(|| self.instruments(choice));
        let is_complete = tracer.is_some() && (metrics.is_some() || choice.is_unmetered);
        (Available { tracer, metrics }, is_complete)
    }

    fn instruments(&self, choice: &ProviderChoice) -> Option<Arc<HttpMetrics>> {
        if choice.is_unmetered {
            return None;
        }
        let provider = choice.meters.clone().or_else(global_meter_provider)?;
        let meter = provider.meter_with_scope(self.scope.clone());
        let boundaries = choice.duration_boundaries.as_deref();
        Some(Arc::new(HttpMetrics::new(&meter, self.side, boundaries)))
    }
}

impl Resolved<'_> {
    /// The tracer.
    #[must_use]
    pub fn tracer(&self) -> Option<&dyn StartSpan> {
        self.0.get()?.tracer.as_deref()
    }

    /// The instruments.
    #[must_use]
    pub fn metrics(&self) -> Option<&Arc<HttpMetrics>> {
        self.0.get()?.metrics.as_ref()
    }

    /// Whether both the tracer and the instruments are missing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.tracer().is_none() && self.metrics().is_none()
    }

    /// Starts a span in `parent`; unrecorded if no tracer is available.
    #[must_use]
    pub fn start_span(&self, new: NewSpan<'_>, parent: &Context) -> StartedSpan {
        match self.tracer() {
            Some(tracer) => tracer.start_span(new, parent),
            None => StartedSpan::nothing(parent.clone()),
        }
    }
}

impl fmt::Debug for ProviderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderChoice")
            .field("has_tracers", &self.tracers.is_some())
            .field("has_meters", &self.meters.is_some())
            .field("is_metered", &!self.is_unmetered)
            .finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    #[test]
    fn chosen_providers_are_used_and_a_changed_choice_counts() {
        let tracers = SdkTracerProvider::builder().build();
        let scope = InstrumentationScope::builder("test").build();
        let mut providers = Providers::new(scope, Side::Server);
        let mut choice = ProviderChoice::default();
        let now = Instant::now();
        assert!(providers.resolve(&choice, now).is_nothing());
        choice.set_tracer_provider(&tracers);
        choice.set_metered(false);
        providers.reset();
        let resolved = providers.resolve(&choice, now);
        assert!(resolved.tracer().is_some() && resolved.metrics().is_none());
    }
}
