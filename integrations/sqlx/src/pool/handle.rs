use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Instant;

use opentelemetry::{Context, KeyValue};
use sqlx_core::Result;
use sqlx_core::pool::{self, CloseEvent};
use sqlx_core::sql_str::{SqlSafeStr, SqlStr};

use super::PoolOptions;
use super::wait::Wait;
use crate::connection::Raw;
use crate::lease::Lease;
use crate::metrics::{Count, PoolStatus};
use crate::state::{State, is_silent};
use crate::{
    ConnectOptionsOf, Connection, Driver, PoolConnection, Target, TraceOptions, Transaction,
};

/// A traced pool of connections to a database, around sqlx's [`Pool`](pool::Pool).
///
/// It has the methods of sqlx's pool, with the same names. Clones are handles of one pool.
///
/// [`Pool::inner`] gives sqlx's own pool to code that requires it. Calls on that pool are not traced.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sqlx::Result<()> {
/// use azmon_sqlx::SqlitePool; // was: use sqlx::SqlitePool;
///
/// let pool = SqlitePool::connect("sqlite::memory:").await?;
/// let (answer,): (i64,) = sqlx::query_as("SELECT 42").fetch_one(&pool).await?;
/// assert_eq!(answer, 42);
/// # Ok(())
/// # }
/// ```
pub struct Pool<DB: Driver>(Arc<Shared<DB>>);

struct Shared<DB: Driver> {
    raw: pool::Pool<DB>,
    options: PoolOptions<DB>,
    state: Arc<State>,
}

impl<DB: Driver> Pool<DB> {
    /// Traces the calls on `raw`, with `options`.
    ///
    /// Wrap a pool once and clone the wrapper, since each wrapper has its own cache of queries.
    #[must_use]
    pub fn new(raw: pool::Pool<DB>, options: TraceOptions) -> Self {
        let target = DB::target(&raw.connect_options());
        Self::leading_to(target, raw, options)
    }

    /// Traces the calls on `raw`, whose connections lead to `target`.
    fn leading_to(target: Target, raw: pool::Pool<DB>, trace: TraceOptions) -> Self {
        let state = Arc::new(State::new::<DB>(target, trace.clone()));
        let options = PoolOptions::from(raw.options().clone()).trace(trace);
        let shared = Arc::new(Shared {
            raw,
            options,
            state,
        });
        let status: Weak<Shared<DB>> = Arc::downgrade(&shared);
        shared.state.belongs_to(status);
        Self(shared)
    }

    /// Opens a pool with the default options, and its first connection.
    ///
    /// # Errors
    /// As [`sqlx_core::pool::Pool::connect`].
    pub async fn connect(url: &str) -> Result<Self> {
        PoolOptions::new().connect(url).await
    }

    /// Opens a pool with the default options, and its first connection, with these connect options.
    ///
    /// # Errors
    /// As [`sqlx_core::pool::Pool::connect_with`].
    pub async fn connect_with(options: ConnectOptionsOf<DB>) -> Result<Self> {
        PoolOptions::new().connect_with(options).await
    }

    /// Makes a pool with the default options, which opens connections on demand.
    ///
    /// # Errors
    /// If `url` cannot be parsed.
    pub fn connect_lazy(url: &str) -> Result<Self> {
        PoolOptions::new().connect_lazy(url)
    }

    /// Makes a pool with the default options and these connect options, which opens connections on demand.
    #[must_use]
    pub fn connect_lazy_with(options: ConnectOptionsOf<DB>) -> Self {
        PoolOptions::new().connect_lazy_with(options)
    }

    /// Takes a connection from the pool, and waits for one if necessary.
    ///
    /// # Errors
    /// `PoolTimedOut`, `PoolClosed`, and the errors of opening a connection.
    ///
    /// # Cancel safety
    /// A dropped request is no longer pending, and takes no connection.
    pub fn acquire(
        &self,
    ) -> impl Future<Output = Result<PoolConnection<DB>>> + Send + 'static + use<DB> {
        let pool = self.clone();
        async move { Ok(PoolConnection::new(pool.lease().await?)) }
    }

    /// Takes an idle connection, if the pool has one.
    #[must_use]
    pub fn try_acquire(&self) -> Option<PoolConnection<DB>> {
        let raw = self.0.raw.try_acquire()?;
        Some(PoolConnection::new(self.lend(raw)))
    }

    /// Takes a connection, and begins a transaction on it.
    ///
    /// # Errors
    /// Those of [`Pool::acquire`], and the database's error for `BEGIN`.
    pub async fn begin(&self) -> Result<Transaction<'static, DB>> {
        Transaction::begin_owned(self.lease().await?, None).await
    }

    /// Takes a connection, and begins a transaction on it with `statement`.
    ///
    /// # Errors
    /// Those of [`Pool::begin`], and `BeginFailed` if no transaction is open after `statement`.
    pub async fn begin_with(&self, statement: impl SqlSafeStr) -> Result<Transaction<'static, DB>> {
        Transaction::begin_owned(self.lease().await?, Some(statement.into_sql_str())).await
    }

    /// Begins a transaction on an idle connection, if the pool has one.
    ///
    /// # Errors
    /// The database's error for `BEGIN`.
    pub async fn try_begin(&self) -> Result<Option<Transaction<'static, DB>>> {
        self.try_begin_by(None).await
    }

    /// Begins a transaction with `statement` on an idle connection, if the pool has one.
    ///
    /// # Errors
    /// The database's error for `statement`, and `BeginFailed` if no transaction is open after it.
    pub async fn try_begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<Option<Transaction<'static, DB>>> {
        self.try_begin_by(Some(statement.into_sql_str())).await
    }

    async fn try_begin_by(
        &self,
        statement: Option<SqlStr>,
    ) -> Result<Option<Transaction<'static, DB>>> {
        match self.0.raw.try_acquire() {
            Some(raw) => Transaction::begin_owned(self.lend(raw), statement)
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// Closes the pool, and waits until all connections are returned and closed.
    pub fn close(&self) -> impl Future<Output = ()> + '_ {
        self.0.raw.close()
    }

    /// Whether [`Pool::close`] was called.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.raw.is_closed()
    }

    /// A future that is ready when the pool is closed.
    #[must_use]
    pub fn close_event(&self) -> CloseEvent {
        self.0.raw.close_event()
    }

    /// The number of connections, including idle ones.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.0.raw.size()
    }

    /// The number of idle connections.
    #[must_use]
    pub fn num_idle(&self) -> usize {
        self.0.raw.num_idle()
    }

    /// The options for opening connections.
    #[must_use]
    pub fn connect_options(&self) -> Arc<ConnectOptionsOf<DB>> {
        self.0.raw.connect_options()
    }

    /// Sets the options for opening further connections.
    ///
    /// Telemetry keeps the server and database name with which the pool was made.
    pub fn set_connect_options(&self, options: ConnectOptionsOf<DB>) {
        self.0.raw.set_connect_options(options);
    }

    /// The options of the pool. A pool that is opened with a clone of them is traced in the same way.
    pub fn options(&self) -> &PoolOptions<DB> {
        &self.0.options
    }

    /// Sqlx's own pool, for code that requires it. Calls on it are not traced.
    #[must_use]
    pub fn inner(&self) -> &pool::Pool<DB> {
        &self.0.raw
    }

    /// Traces `raw` as a connection to the database of this pool.
    #[must_use]
    pub fn wrap(&self, raw: DB::Connection) -> Connection<DB> {
        Connection::from_parts(Raw::Owned(raw), Arc::clone(&self.0.state))
    }

    /// Waits for a connection.
    pub(crate) async fn lease(&self) -> Result<Connection<DB>> {
        let raw = &self.0.raw;
        let opens = raw.num_idle() == 0 && raw.size() < raw.options().get_max_connections();
        let wait = Wait::start(&self.0.state, opens);
        let result = raw.acquire().await;
        if let Some(wait) = wait {
            wait.end(&result);
        }
        Ok(self.lend(result?))
    }

    fn lend(&self, raw: pool::PoolConnection<DB>) -> Connection<DB> {
        let state = Arc::clone(&self.0.state);
        let lease = (!Context::map_current(is_silent)).then(|| Lease::new(Arc::clone(&state)));
        Connection::from_parts(Raw::Pooled(raw, lease), state)
    }

    /// Records how long each of the first connections took to open, one after another.
    fn opened_since(&self, started: Instant) {
        let state = &self.0.state;
        let Some(instruments) = state.instruments(started) else {
            return;
        };
        if Context::map_current(is_silent) {
            return;
        }
        // At least one was opened, even if it is closed again.
        let opened = self.size().max(1);
        let each = started.elapsed().as_secs_f64() / f64::from(opened);
        for _ in 0..opened {
            instruments.create_time.record(each, &state.pool);
        }
    }
}

impl<DB: Driver> PoolOptions<DB> {
    /// Opens the pool, and its first connection.
    ///
    /// # Errors
    /// If `url` cannot be parsed, or no connection can be opened before the acquire timeout.
    pub async fn connect(self, url: &str) -> Result<Pool<DB>> {
        let options = url.parse()?;
        self.open(DB::target_at(url, &options), options).await
    }

    /// Opens the pool, and its first connection, with these connect options.
    ///
    /// # Errors
    /// If no connection can be opened before the acquire timeout.
    pub async fn connect_with(self, options: ConnectOptionsOf<DB>) -> Result<Pool<DB>> {
        self.open(DB::target(&options), options).await
    }

    async fn open(self, target: Target, options: ConnectOptionsOf<DB>) -> Result<Pool<DB>> {
        let started = Instant::now();
        let raw = self.raw.connect_with(options).await?;
        let pool = Pool::leading_to(target, raw, self.trace);
        pool.opened_since(started);
        Ok(pool)
    }

    /// Makes the pool, which opens connections on demand.
    ///
    /// # Errors
    /// If `url` cannot be parsed.
    pub fn connect_lazy(self, url: &str) -> Result<Pool<DB>> {
        let options = url.parse()?;
        let target = DB::target_at(url, &options);
        let raw = self.raw.connect_lazy_with(options);
        Ok(Pool::leading_to(target, raw, self.trace))
    }

    /// Makes the pool with these connect options. It opens connections on demand.
    pub fn connect_lazy_with(self, options: ConnectOptionsOf<DB>) -> Pool<DB> {
        Pool::new(self.raw.connect_lazy_with(options), self.trace)
    }
}

impl<DB: Driver> PoolStatus for Shared<DB> {
    fn name(&self) -> KeyValue {
        let [name] = &self.state.pool;
        name.clone()
    }

    fn identity(&self) -> usize {
        // The options are part of the shared pool, so their address identifies it.
        std::ptr::from_ref(self.raw.options()).addr()
    }

    fn count(&self) -> Count {
        let size = i64::from(self.raw.size());
        let idle = i64::try_from(self.raw.num_idle())
            .unwrap_or(i64::MAX)
            .min(size);
        Count {
            idle,
            // The pool counts a connection from the start of its opening.
            used: (size - idle - self.state.opening()).max(0),
            max: i64::from(self.raw.options().get_max_connections()),
            pending: self.state.pending(),
        }
    }
}

/// Sqlx's own pool. Calls on it are not traced.
impl<DB: Driver> AsRef<pool::Pool<DB>> for Pool<DB> {
    fn as_ref(&self) -> &pool::Pool<DB> {
        self.inner()
    }
}

impl<DB: Driver> From<pool::Pool<DB>> for Pool<DB> {
    fn from(raw: pool::Pool<DB>) -> Self {
        Self::new(raw, TraceOptions::new())
    }
}

impl<DB: Driver> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Driver> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.raw.fmt(f)
    }
}
