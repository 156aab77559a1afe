use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use azmon_instrument::Recurring;
use azmon_instrument::exclude::records_no_spans;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use sqlx_core::error::DatabaseError;

use crate::attributes::Attribute;
use crate::metrics::{Instruments, PoolStatus};
use crate::providers::{Found, Providers};
use crate::statements::{Described, Statements, Use};
use crate::{Driver, QueryInfo, Target, TraceOptions, attributes};

/// The telemetry data that a pool shares with its connections.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: TraceOptions,
    pub(crate) system: &'static str,
    /// The attributes of the database, on every span and metric of a query.
    pub(crate) database: Vec<Attribute>,
    /// The attributes of the pool, on each of its metrics.
    pub(crate) pool: [KeyValue; 1],
    /// Record how long each connection is waited for, and is in use, with the attributes of the pool.
    pub(crate) wait_time: Recurring<Instruments>,
    pub(crate) use_time: Recurring<Instruments>,
    pub(crate) logs_in_place: bool,
    pub(crate) status_code: fn(&dyn DatabaseError) -> Option<Cow<'_, str>>,
    target: Target,
    statements: Statements,
    providers: Providers,
    status: OnceLock<Weak<dyn PoolStatus>>,
    pending: AtomicI64,
    opening: AtomicI64,
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
            wait_time: Recurring::default(),
            use_time: Recurring::default(),
            logs_in_place: DB::LOGS_IN_PLACE,
            status_code: DB::status_code,
            target,
            statements: Statements::new(),
            providers: Providers::default(),
            status: OnceLock::new(),
            pending: AtomicI64::new(0),
            opening: AtomicI64::new(0),
            options,
        }
    }

    /// Attaches the state to its pool, so that metrics can report the pool.
    pub(crate) fn belongs_to(&self, pool: Weak<dyn PoolStatus>) {
        if self.status.set(pool).is_ok() {
            self.found(Instant::now());
        }
    }

    /// The tracer and instruments at `now`.
    pub(crate) fn found(&self, now: Instant) -> Found {
        self.providers.get(now, &self.options, |instruments| {
            if let Some(pool) = self.status.get() {
                instruments.add_pool(Weak::clone(pool));
            }
        })
    }

    /// The instruments, if a meter provider exists.
    pub(crate) fn instruments(&self, now: Instant) -> Option<Arc<Instruments>> {
        self.found(now).instruments
    }

    /// Whether any telemetry is recorded.
    pub(crate) fn is_observed(&self) -> bool {
        !self.found(Instant::now()).is_nothing()
    }

    /// Whether a span may be started in `context`.
    pub(crate) fn admits_span(&self, context: &Context) -> bool {
        !self.options.only_with_parent || context.span().span_context().is_valid()
    }

    pub(crate) fn describe(&self, sql: &str, usage: Use, is_bound: bool) -> Arc<Described> {
        let query_text = self.options.query_text.of_query(is_bound);
        self.statements.get(sql, usage, query_text, || {
            let info = QueryInfo::parse(sql, self.target.dialect, query_text);
            let is_excluded = self
                .options
                .exclude
                .as_ref()
                .is_some_and(|excludes| excludes(&info));
            Described::new(info, usage, is_excluded, &self.database)
        })
    }

    pub(crate) fn pending(&self) -> i64 {
        self.pending.load(Ordering::Relaxed)
    }

    pub(crate) fn add_pending(&self, change: i64) {
        self.pending.fetch_add(change, Ordering::Relaxed);
    }

    /// The number of requests for which the pool is opening a connection.
    pub(crate) fn opening(&self) -> i64 {
        self.opening.load(Ordering::Relaxed)
    }

    pub(crate) fn add_opening(&self, change: i64) {
        self.opening.fetch_add(change, Ordering::Relaxed);
    }
}

/// Whether telemetry in `context` is off: the context belongs to an excluded request, or telemetry is suppressed.
///
/// No other code decides this.
pub(crate) fn is_silent(context: &Context) -> bool {
    records_no_spans(context)
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
