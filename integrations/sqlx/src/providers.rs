//! Where telemetry goes: the providers of the options, or the global ones.

use std::sync::Arc;
use std::time::Instant;

use azmon_instrument::direct;
use azmon_instrument::{Lookup, StartSpan, is_noop_tracer};
use opentelemetry::global::{self, BoxedTracer};

use crate::TraceOptions;
use crate::metrics::{self, Instruments};
use crate::options::scope;

/// What was found at the last look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) tracer: Option<Arc<BoxedTracer>>,
    /// A tracer that takes spans without the detour by OpenTelemetry's SDK, where `tracer` is the global one.
    pub(crate) direct: Option<Arc<dyn StartSpan>>,
    pub(crate) instruments: Option<Arc<Instruments>>,
}

impl Found {
    pub(crate) fn is_nothing(&self) -> bool {
        self.tracer.is_none() && self.instruments.is_none()
    }
}

/// The providers that telemetry goes to, which are looked up when that is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Providers(Lookup<Found>);

impl Providers {
    /// What there is at `now`. `is_new` is called with instruments that were not there at the look before.
    ///
    /// Global providers are looked for again every 100 ms, even where there are some: others may take their place.
    pub(crate) fn get(
        &self,
        now: Instant,
        options: &TraceOptions,
        is_new: impl FnOnce(&Instruments),
    ) -> Found {
        let loan = self.0.get(now, |known| {
            let found = Found {
                tracer: look_for_tracer(options),
                direct: options.tracer.is_none().then(direct::tracer).flatten(),
                instruments: metrics::look(options.meter_provider.as_ref()),
            };
            let known = known.and_then(|known| known.instruments.as_ref());
            if let Some(instruments) = &found.instruments
                && !known.is_some_and(|known| Arc::ptr_eq(known, instruments))
            {
                is_new(instruments);
            }
            let lasts = options.tracer.is_some() && options.meter_provider.is_some();
            (found, lasts)
        });
        loan.get().cloned().unwrap_or_default()
    }
}

/// The tracer of `options`, or else the global one, unless no provider is installed.
fn look_for_tracer(options: &TraceOptions) -> Option<Arc<BoxedTracer>> {
    if options.tracer.is_some() {
        return options.tracer.clone();
    }
    let tracer = global::tracer_with_scope(scope());
    (!is_noop_tracer(&tracer)).then(|| Arc::new(tracer))
}
