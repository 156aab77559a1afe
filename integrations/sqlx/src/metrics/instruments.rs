use std::sync::{Arc, Mutex, PoisonError, Weak};

use azmon_instrument::global_meter_provider;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram, Meter, MeterProvider};

use super::pools::{Count, PoolStatus, Pools};
use crate::attributes;
use crate::options::scope;

/// The instruments of one meter provider, shared by all pools that report to it.
#[derive(Debug)]
pub(crate) struct Instruments {
    pub(crate) operation_duration: Histogram<f64>,
    pub(crate) wait_time: Histogram<f64>,
    pub(crate) use_time: Histogram<f64>,
    pub(crate) create_time: Histogram<f64>,
    pub(crate) timeouts: Counter<u64>,
    pools: Arc<Pools>,
}

impl Instruments {
    fn new(provider: &(dyn MeterProvider + Send + Sync)) -> Self {
        let meter = provider.meter_with_scope(scope());
        let pools = Arc::<Pools>::default();
        observe(&meter, &pools);
        let seconds = |name: &'static str, description: &'static str| {
            let histogram = meter.f64_histogram(name).with_description(description);
            histogram
                .with_unit("s")
                .with_boundaries(BOUNDARIES.to_vec())
                .build()
        };
        Self {
            operation_duration: seconds("db.client.operation.duration", "Duration of database client operations."),
            wait_time: seconds(
                "db.client.connection.wait_time",
                "The time it took to obtain an open connection from the pool.",
            ),
            use_time: seconds(
                "db.client.connection.use_time",
                "The time between borrowing a connection and returning it to the pool.",
            ),
            create_time: seconds(
                "db.client.connection.create_time",
                "The time it took to create a new connection.",
            ),
            timeouts: meter
                .u64_counter("db.client.connection.timeouts")
                .with_unit("{timeout}")
                .with_description(
                    "The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
                )
                .build(),
            pools,
        }
    }

    /// Reports the connections of `pool` until the pool is dropped.
    pub(crate) fn add_pool(&self, pool: Weak<dyn PoolStatus>) {
        self.pools.add(pool);
    }
}

/// Registers the callbacks that read the pools when metrics are collected.
fn observe(meter: &Meter, pools: &Arc<Pools>) {
    let register =
        |name, unit, description, tell: fn(&dyn AsyncInstrument<i64>, KeyValue, Count)| {
            let pools = Arc::clone(pools);
            meter
                .i64_observable_up_down_counter(name)
                .with_unit(unit)
                .with_description(description)
                .with_callback(move |observer| {
                    for (name, count) in pools.counted() {
                        tell(observer, name, count);
                    }
                })
                .build();
        };
    register(
        "db.client.connection.count",
        "{connection}",
        "The number of connections that are currently in state described by the state attribute.",
        |observer, name, count| {
            let in_state = |state| [name.clone(), KeyValue::new(attributes::STATE, state)];
            observer.observe(count.idle, &in_state("idle"));
            observer.observe(count.used, &in_state("used"));
        },
    );
    register(
        "db.client.connection.max",
        "{connection}",
        "The maximum number of open connections allowed.",
        |observer, name, count| observer.observe(count.max, &[name]),
    );
    register(
        "db.client.connection.pending_requests",
        "{request}",
        "The number of current pending requests for an open connection.",
        |observer, name, count| observer.observe(count.pending, &[name]),
    );
}

/// The instruments of `provider`, or of the global provider if it is `None`.
///
/// A handle of a provider gets its instruments once.
pub(crate) fn look(
    provider: Option<&Arc<dyn MeterProvider + Send + Sync>>,
) -> Option<Arc<Instruments>> {
    let provider = provider.cloned().or_else(global_meter_provider)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|(known, _)| known.strong_count() > 0);
    if let Some((_, instruments)) = known
        .iter()
        .find(|(known, _)| known.as_ptr().addr() == Arc::as_ptr(&provider).addr())
    {
        return Some(Arc::clone(instruments));
    }
    let instruments = Arc::new(Instruments::new(&*provider));
    known.push((Arc::downgrade(&provider), Arc::clone(&instruments)));
    Some(instruments)
}

static KNOWN: Mutex<Vec<(Weak<dyn MeterProvider + Send + Sync>, Arc<Instruments>)>> =
    Mutex::new(Vec::new());

/// In seconds: the boundaries that OpenTelemetry recommends for `db.client.operation.duration`.
const BOUNDARIES: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
