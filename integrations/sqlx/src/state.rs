use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer,
};
use opentelemetry::{Context, KeyValue};
use sqlx_core::error::DatabaseError;

use crate::attributes::Attribute;
use crate::lazy::Lazy;
use crate::metrics::{self, Instruments, PoolStatus};
use crate::options::scope;
use crate::statements::{Described, Statements};
use crate::{Driver, Statement, Target, TraceOptions, attributes};

/// What a pool, and every connection from it, knows for telemetry.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: TraceOptions,
    pub(crate) system: &'static str,
    /// The attributes of the database, on every span and metric of a query.
    pub(crate) database: Vec<Attribute>,
    /// The attributes of the pool, on each of its metrics.
    pub(crate) pool: [KeyValue; 1],
    pub(crate) logs_in_place: bool,
    pub(crate) status_code: fn(&dyn DatabaseError) -> Option<Cow<'_, str>>,
    target: Target,
    statements: Statements,
    tracer: Lazy<BoxedTracer>,
    instruments: Lazy<Arc<Instruments>>,
    status: OnceLock<Weak<dyn PoolStatus>>,
    pending: AtomicI64,
}

impl State {
    pub(crate) fn new<DB: Driver>(target: Target, options: TraceOptions) -> Self {
        let pool_name = match &options.pool_name {
            Some(name) => name.clone(),
            None => target.pool_name().into(),
        };
        Self {
            system: target.system,
            database: database_attributes(&target),
            pool: [KeyValue::new(
                attributes::POOL_NAME,
                Arc::<str>::from(&*pool_name),
            )],
            logs_in_place: DB::LOGS_IN_PLACE,
            status_code: DB::status_code,
            target,
            statements: Statements::new(),
            tracer: Lazy::new(),
            instruments: Lazy::new(),
            status: OnceLock::new(),
            pending: AtomicI64::new(0),
            options,
        }
    }

    /// Gives the state the pool that it belongs to, so that metrics can tell about that.
    pub(crate) fn belongs_to(&self, pool: Weak<dyn PoolStatus>) {
        if self.status.set(pool).is_ok() {
            self.instruments(Instant::now());
        }
    }

    /// Where spans go, if anywhere.
    pub(crate) fn tracer(&self, now: Instant) -> Option<&BoxedTracer> {
        match &self.options.tracer {
            Some(tracer) => Some(tracer),
            None => self.tracer.get(now, look_for_tracer),
        }
    }

    /// Where metrics go, if anywhere.
    pub(crate) fn instruments(&self, now: Instant) -> Option<&Instruments> {
        let look = || {
            let instruments = metrics::look(self.options.meter_provider.as_ref())?;
            if let Some(pool) = self.status.get() {
                instruments.add_pool(Weak::clone(pool));
            }
            Some(instruments)
        };
        self.instruments
            .get(now, look)
            .map(|instruments| &**instruments)
    }

    /// Whether telemetry goes anywhere.
    pub(crate) fn is_observed(&self) -> bool {
        let now = Instant::now();
        self.tracer(now).is_some() || self.instruments(now).is_some()
    }

    /// Whether a span may be started in `context`.
    pub(crate) fn admits_span(&self, context: &Context) -> bool {
        !self.options.only_with_parent || context.span().span_context().is_valid()
    }

    pub(crate) fn describe(&self, sql: &str) -> Arc<Described> {
        self.statements.get(sql, || {
            let statement = Statement::parse(sql, self.target.dialect, self.options.query_text);
            let is_excluded = self
                .options
                .exclude
                .as_ref()
                .is_some_and(|excludes| excludes(&statement));
            Described::new(statement, is_excluded, &self.database)
        })
    }

    pub(crate) fn pending(&self) -> i64 {
        self.pending.load(Ordering::Relaxed)
    }

    pub(crate) fn add_pending(&self, change: i64) {
        self.pending.fetch_add(change, Ordering::Relaxed);
    }
}

fn database_attributes(target: &Target) -> Vec<Attribute> {
    let text = |key, value: &Option<String>| Some(Attribute::Shared(key, value.as_deref()?.into()));
    let system = Attribute::Static(attributes::SYSTEM, target.system);
    let port = target
        .port
        .map(|port| Attribute::Number(attributes::SERVER_PORT, i64::from(port)));
    let others = [
        text(attributes::NAMESPACE, &target.namespace),
        text(attributes::SERVER_ADDRESS, &target.address),
        port,
    ];
    std::iter::once(system)
        .chain(others.into_iter().flatten())
        .collect()
}

/// The global tracer, unless no provider is installed.
fn look_for_tracer() -> Option<BoxedTracer> {
    let tracer = global::tracer_with_scope(scope());
    (!is_noop(&tracer)).then_some(tracer)
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
}
