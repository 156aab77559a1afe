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

/// The providers that the application chose, where it did not leave that to the global ones.
#[derive(Clone, Default)]
pub struct ProviderChoice {
    tracers: Option<Arc<MakeTracer>>,
    meters: Option<Arc<dyn MeterProvider + Send + Sync>>,
    is_unmetered: bool,
    duration_boundaries: Option<Arc<[f64]>>,
}

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

impl ProviderChoice {
    /// Uses this provider of tracers.
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

    /// Uses this provider of meters.
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

    /// Sets the boundaries of durations, in seconds.
    pub fn set_duration_boundaries(&mut self, seconds: Vec<f64>) {
        self.duration_boundaries = Some(seconds.into());
    }
}

impl Providers {
    /// Looks for the providers when the first request comes. `scope` names the integration.
    #[must_use]
    pub fn new(scope: InstrumentationScope, side: Side) -> Self {
        Self {
            scope,
            side,
            lookup: Lookup::new(),
        }
    }

    /// The tracer and the instruments at the moment, found together.
    #[must_use]
    #[inline]
    pub fn resolve(&self, choice: &ProviderChoice, now: Instant) -> Resolved {
        Resolved(self.lookup.get(now, |known| self.look(choice, known)))
    }

    /// Forgets what was found: the choice is another.
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
