use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::global::BoxedTracer;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;

use crate::{QueryInfo, QueryText};

/// The telemetry settings: which queries and pools are recorded, with which text, and to which providers.
///
/// Clones share their providers.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use azmon_sqlx::{QueryText, TraceOptions};
///
/// let options = TraceOptions::new()
///     .query_text(QueryText::Off)
///     .only_with_parent()
///     .exclude(|statement| statement.collection() == Some("sessions"))
///     .acquire_span_threshold(Duration::from_millis(20));
/// # let _ = options;
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct TraceOptions {
    pub(crate) query_text: QueryText,
    pub(crate) only_with_parent: bool,
    pub(crate) exclude: Option<Arc<dyn Fn(&QueryInfo) -> bool + Send + Sync>>,
    pub(crate) acquire_span_threshold: Option<Duration>,
    pub(crate) pool_name: Option<Cow<'static, str>>,
    pub(crate) tracer: Option<Arc<BoxedTracer>>,
    pub(crate) meter_provider: Option<Arc<dyn MeterProvider + Send + Sync>>,
}

impl TraceOptions {
    /// Makes the default options; each setter documents its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how much of the query text is recorded. Defaults to [`QueryText::Sanitised`].
    pub fn query_text(mut self, query_text: QueryText) -> Self {
        self.query_text = query_text;
        self
    }

    /// Makes no span unless one is active, for background polling. Metrics still count the query.
    ///
    /// By default such a query starts its own trace.
    pub fn only_with_parent(mut self) -> Self {
        self.only_with_parent = true;
        self
    }

    /// Excludes the queries for which `predicate` is true. They have no span and no metric.
    ///
    /// The result is cached with the statement, so it must depend on nothing else. By default no query is
    /// excluded.
    pub fn exclude(
        mut self,
        predicate: impl Fn(&QueryInfo) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.exclude = Some(Arc::new(predicate));
        self
    }

    /// Records a span for every wait for a pool connection that takes at least `threshold`.
    ///
    /// A failed wait always has a span. Defaults to 100 ms.
    pub fn acquire_span_threshold(mut self, threshold: Duration) -> Self {
        self.acquire_span_threshold = Some(threshold);
        self
    }

    /// Names the pool in its metrics, as `db.client.connection.pool.name`.
    ///
    /// All pools of the process with the same name are counted together, so a name belongs to one meter provider.
    /// Defaults to `address:port/namespace`.
    pub fn pool_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.pool_name = Some(name.into());
        self
    }

    /// Sends spans to `provider`.
    ///
    /// Defaults to the global provider. The global provider is looked up at most ten times a second, also after
    /// one was found, since it may be replaced.
    pub fn tracer_provider<P>(mut self, provider: &P) -> Self
    where
        P: TracerProvider<Tracer: Send + Sync + 'static>,
        <P::Tracer as opentelemetry::trace::Tracer>::Span: Send + Sync + 'static,
    {
        let tracer = provider.tracer_with_scope(scope());
        self.tracer = Some(Arc::new(BoxedTracer::new(Box::new(tracer))));
        self
    }

    /// Sends metrics to `provider`.
    ///
    /// Defaults to the global provider, which is looked up like that of spans.
    pub fn meter_provider(mut self, provider: impl MeterProvider + Send + Sync + 'static) -> Self {
        self.meter_provider = Some(Arc::new(provider));
        self
    }

    pub(crate) fn threshold(&self) -> Duration {
        self.acquire_span_threshold
            .unwrap_or(DEFAULT_ACQUIRE_SPAN_THRESHOLD)
    }
}

impl fmt::Debug for TraceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceOptions")
            .field("query_text", &self.query_text)
            .field("only_with_parent", &self.only_with_parent)
            .field("acquire_span_threshold", &self.threshold())
            .field("pool_name", &self.pool_name)
            .finish_non_exhaustive()
    }
}

const DEFAULT_ACQUIRE_SPAN_THRESHOLD: Duration = Duration::from_millis(100);

/// The instrumentation scope of all telemetry of this crate.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .with_schema_url("https://opentelemetry.io/schemas/1.42.0")
        .build()
}
