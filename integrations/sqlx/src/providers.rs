//! The providers of the options, or the global providers.

use std::sync::Arc;
use std::time::Instant;

use azmon_instrument::direct;
use azmon_instrument::{Lookup, StartSpan, installed_tracer};
use opentelemetry::global::BoxedTracer;

use crate::TraceOptions;
use crate::metrics::{self, Instruments};
use crate::options::scope;

/// The providers found by the last look-up.
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

/// The tracer and instruments, looked up at the first use.
#[derive(Debug, Default)]
pub(crate) struct Providers(Lookup<Found>);

impl Providers {
    /// The tracer and instruments at `now`. Calls `is_new` with instruments that the previous look-up did not
    /// find.
    ///
    /// Looks up global providers again every 100 ms, even after some were found, since they may be replaced.
    pub(crate) fn get(
        &self,
        now: Instant,
        options: &TraceOptions,
        is_new: impl FnOnce(&Instruments),
    ) -> Found {
        let loan = self.0.get(now, |known| {
            let found = Found {
                tracer: options
                    .tracer
                    .clone()
                    .or_else(|| installed_tracer(scope()).map(Arc::new)),
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
