//! Queries to SQLite in memory.

use std::fmt;

use azmon_sqlx::TraceOptions;
use opentelemetry::metrics::noop::NoopMeterProvider;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, ContextGuard};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Connection, Executor, Sqlite, SqliteConnection, SqlitePool};
use tokio::runtime::{Builder, Runtime};

use crate::fixtures::{Backend, Nowhere, Pipeline, Stock};
use crate::{Area, Bound, Case, Method, Quantity, Target, Workload};

/// The area of queries that return one row, without peers.
#[must_use]
pub fn area() -> Area {
    Area {
        name: "database",
        title: "Database: a query",
        unit: "query",
        about: "sqlx 0.9 reads one row from SQLite in memory, inside the span of a request. SQLite works on its own \
                thread; the time is that of the thread that waits for it. `SELECT 1` may return before that thread \
                sleeps, so its time varies, and instructions are the better measure. The search takes SQLite so long \
                that the thread always sleeps, as it does with a remote database. Through the pool, every query \
                acquires a connection and releases it.",
        method: Method::Rounds { operations: 100 },
        cases: ONE_ROW.iter().flat_map(Place::cases).collect(),
        targets: vec![
            Target::new(RECORDED, Quantity::Instructions, Bound::OfPeer(0.30)),
            Target::new(METRICS, Quantity::Instructions, Bound::OfPeer(0.40)),
            Target::new(STOCK, Quantity::Instructions, Bound::OfPeer(0.35)),
            Target::new(RECORDED, Quantity::Allocations, Bound::AtMost(4.0)),
        ],
        notes: None,
    }
}

/// The area of queries that return many rows, without peers.
#[must_use]
pub fn many() -> Area {
    Area {
        name: "rows",
        title: "Database: a query of 1,000 rows",
        unit: "query",
        about: "As above, but for all rows of a table. The rows wake the waiting thread a varying number of times: \
                this area shows that a row costs nothing, not the cost of a query.",
        method: Method::Rounds { operations: 10 },
        cases: MANY_ROWS.iter().flat_map(Place::cases).collect(),
        targets: Vec::new(),
        notes: None,
    }
}

/// The cases of the targets: with azmon's pipeline, also with metrics, and with the peer's pipeline.
const RECORDED: &str = "database/connection/search/azmon/recorded";
const METRICS: &str = "database/connection/search/azmon/metrics";
const STOCK: &str = "database/connection/search/azmon/stock";

/// A query, and the way in which it is run.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The label in the table.
    pub label: &'static str,
    /// Whether it runs through a pool.
    pub pooled: bool,
    /// The query.
    pub query: Query,
    /// The ids of the cases. The bare case is the reference of all others.
    pub ids: Ids,
}

/// The ids of azmon's cases and the bare one.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names are those of the cases")]
pub struct Ids {
    pub bare: &'static str,
    pub no_provider: &'static str,
    pub recorded: &'static str,
    pub stock: &'static str,
    pub metrics: &'static str,
    pub unsampled: &'static str,
}

/// A query and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    statement: &'static str,
    rows: usize,
}

const ONE: Query = Query {
    statement: "SELECT 1",
    rows: 1,
};

const THOUSAND: Query = Query {
    statement: "SELECT id, name FROM users",
    rows: 1_000,
};

const SEARCH: Query = Query {
    statement: "SELECT id, name FROM users WHERE name LIKE '%7' AND length(name) > 6 AND id > 100 \
                ORDER BY name DESC, id LIMIT 1",
    rows: 1,
};

/// The statement that creates the table.
const USERS: &str = "CREATE TABLE users AS WITH RECURSIVE ids (id) AS \
                     (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 1000) \
                     SELECT id, 'user ' || id AS name FROM ids";

macro_rules! ids {
    ($place:literal) => {
        Ids {
            bare: concat!($place, "/bare"),
            no_provider: concat!($place, "/azmon/no-provider"),
            recorded: concat!($place, "/azmon/recorded"),
            stock: concat!($place, "/azmon/stock"),
            metrics: concat!($place, "/azmon/metrics"),
            unsampled: concat!($place, "/azmon/unsampled"),
        }
    };
}

/// The places of [`area`].
pub const ONE_ROW: [Place; 4] = [
    Place {
        label: "connection, SELECT 1",
        pooled: false,
        query: ONE,
        ids: ids!("database/connection/one"),
    },
    Place {
        label: "connection, a search",
        pooled: false,
        query: SEARCH,
        ids: ids!("database/connection/search"),
    },
    Place {
        label: "pool, SELECT 1",
        pooled: true,
        query: ONE,
        ids: ids!("database/pool/one"),
    },
    Place {
        label: "pool, a search",
        pooled: true,
        query: SEARCH,
        ids: ids!("database/pool/search"),
    },
];

/// The places of [`many`].
pub const MANY_ROWS: [Place; 2] = [
    Place {
        label: "connection",
        pooled: false,
        query: THOUSAND,
        ids: ids!("rows/connection"),
    },
    Place {
        label: "pool",
        pooled: true,
        query: THOUSAND,
        ids: ids!("rows/pool"),
    },
];

impl Place {
    fn cases(&self) -> Vec<Case> {
        let place = *self;
        let label = |what: &str| format!("{}: {what}", place.label);
        let azmon = [
            Case::azmon(
                place.ids.no_provider,
                label("azmon-sqlx, no provider"),
                move || place.azmon(Nowhere, TraceOptions::new(), sampled()),
            ),
            Case::azmon(place.ids.recorded, label("azmon-sqlx"), move || {
                place.spans_alone(sampled())
            })
            .group(place.ids.recorded)
            .records(1),
            Case::azmon(place.ids.stock, label("azmon-sqlx alone"), move || {
                place.azmon(Stock::start(), TraceOptions::new(), sampled())
            })
            .group(place.ids.recorded)
            .records(1)
            .remark("with OpenTelemetry's batch processor, like the peer"),
            Case::azmon(
                place.ids.metrics,
                label("azmon-sqlx, with metrics"),
                move || place.azmon(Pipeline::start(), TraceOptions::new(), sampled()),
            )
            .group(place.ids.metrics)
            .records(1),
            Case::azmon(
                place.ids.unsampled,
                label("azmon-sqlx, unsampled"),
                move || place.spans_alone(unsampled()),
            )
            .group(place.ids.unsampled)
            .records(0),
        ];
        let bare = Case::bare(place.ids.bare, label("sqlx alone"), move || place.bare());
        let azmon = azmon.map(|case| case.above(place.ids.bare));
        std::iter::once(bare).chain(azmon).collect()
    }

    fn bare(self) -> Box<dyn Workload> {
        let runtime = runtime();
        if self.pooled {
            let pool = runtime.block_on(pool());
            self.queries(runtime, Nowhere, sampled(), async move |query| {
                fetch(&pool, query).await
            })
        } else {
            let mut connection = runtime.block_on(connection());
            self.queries(runtime, Nowhere, sampled(), async move |query| {
                fetch(&mut connection, query).await
            })
        }
    }

    fn spans_alone(self, parent: ContextGuard) -> Box<dyn Workload> {
        let options = TraceOptions::new().meter_provider(NoopMeterProvider::new());
        let pipeline = Pipeline::uncounted(|builder| builder.follow_remote_parent(true));
        self.azmon(pipeline, options, parent)
    }

    #[expect(clippy::unwrap_used, reason = "the URL is written here")]
    fn azmon<B: Backend + 'static>(
        self,
        backend: B,
        options: TraceOptions,
        parent: ContextGuard,
    ) -> Box<dyn Workload> {
        let runtime = runtime();
        if self.pooled {
            let pool = azmon_sqlx::SqlitePool::new(runtime.block_on(pool()), options);
            self.queries(runtime, backend, parent, async move |query| {
                fetch(&pool, query).await
            })
        } else {
            let raw = runtime.block_on(connection());
            let target = URL.parse().unwrap();
            let mut connection = azmon_sqlx::SqliteConnection::new(raw, &target, options);
            self.queries(runtime, backend, parent, async move |query| {
                fetch(&mut connection, query).await
            })
        }
    }

    /// Runs a query with `fetch`, in the context that is active while `parent` lives.
    pub fn queries<B, P, F>(
        self,
        runtime: Runtime,
        backend: B,
        parent: P,
        fetch: F,
    ) -> Box<dyn Workload>
    where
        B: Backend + 'static,
        P: 'static,
        F: AsyncFnMut(Query) -> usize + 'static,
    {
        Box::new(Queries {
            query: self.query,
            runtime,
            backend,
            _parent: parent,
            fetch: Some(fetch),
        })
    }
}

struct Queries<B, P, F> {
    query: Query,
    runtime: Runtime,
    backend: B,
    _parent: P,
    /// Taken only on drop.
    fetch: Option<F>,
}

impl<B: Backend, P, F: AsyncFnMut(Query) -> usize> Workload for Queries<B, P, F> {
    fn run(&mut self, operations: u64) {
        let Some(fetch) = &mut self.fetch else { return };
        self.runtime.block_on(async {
            for _ in 0..operations {
                assert_eq!(fetch(self.query).await, self.query.rows);
            }
        });
    }

    fn backend(&self) -> &dyn Backend {
        &self.backend
    }
}

/// A connection that returns to its pool needs the runtime.
impl<B, P, F> Drop for Queries<B, P, F> {
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        self.fetch = None;
    }
}

impl<B, P, F> fmt::Debug for Queries<B, P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queries")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

/// Fetches all rows, and returns their number.
///
/// # Panics
///
/// If the database rejects the query.
#[expect(clippy::unwrap_used, reason = "a query that fails measures nothing")]
pub async fn fetch<'e>(executor: impl Executor<'e, Database = Sqlite>, query: Query) -> usize {
    let rows = sqlx::query(query.statement).fetch_all(executor).await;
    rows.unwrap().len()
}

/// The runtime of a case, on the calling thread.
///
/// # Panics
///
/// If the event loop cannot be created.
#[expect(
    clippy::unwrap_used,
    reason = "without a runtime nothing can be measured"
)]
#[must_use]
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Opens a pool with one connection, which runs every query.
///
/// # Panics
///
/// If SQLite cannot open it.
#[expect(clippy::unwrap_used, reason = "without a pool nothing can be measured")]
pub async fn pool() -> SqlitePool {
    // The database ends with its connection. A ping would be awaited in some runs only.
    let options = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false);
    let pool = options.connect(URL).await.unwrap();
    pool.execute(USERS).await.unwrap();
    pool
}

#[expect(
    clippy::unwrap_used,
    reason = "without a connection nothing can be measured"
)]
async fn connection() -> SqliteConnection {
    let mut connection = SqliteConnection::connect(URL).await.unwrap();
    connection.execute(USERS).await.unwrap();
    connection
}

const URL: &str = "sqlite::memory:";

/// Starts the handling of a recorded request.
fn sampled() -> ContextGuard {
    request(TraceFlags::SAMPLED).attach()
}

/// Starts the handling of an unrecorded request.
fn unsampled() -> ContextGuard {
    request(TraceFlags::NOT_SAMPLED).attach()
}

/// The context of a request's handler.
fn request(flags: TraceFlags) -> Context {
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from_bytes([7; 16]),
        SpanId::from_bytes([7; 8]),
        flags,
        false,
        TraceState::NONE,
    ))
}
