use std::fmt;
use std::sync::Arc;

use sqlx_core::Result;
use sqlx_core::connection::Connection as _;
use sqlx_core::database::HasStatementCache;
use sqlx_core::pool;

use crate::lease::Lease;
use crate::operation::{Began, Call};
use crate::state::State;
use crate::statements::Use;
use crate::{ConnectOptionsOf, Driver, TraceOptions};

/// A traced connection to a database, around the driver's sqlx connection.
///
/// `&mut *tx` and `&mut *conn` have this type. Functions that only run queries take it: `async fn
/// rename(connection: &mut PgConnection)`. It has the methods of sqlx's `Connection` trait.
///
/// [`Connection::raw_mut`] gives sqlx's own connection to code that requires it. Calls on that connection are not
/// traced.
pub struct Connection<DB: Driver> {
    raw: Raw<DB>,
    state: Arc<State>,
    /// The number of open transactions and savepoints.
    ///
    /// It is counted here, since SQLite's own count lags behind when a savepoint is dropped.
    pub(crate) depth: u32,
    /// The context in which the open transaction began.
    pub(crate) began: Option<Began>,
}

/// The parts that all calls on a connection share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'c> {
    state: &'c State,
    began: Option<&'c Began>,
}

impl<'c> Site<'c> {
    /// A call without arguments.
    pub(crate) fn of<'q>(self, usage: Use, sql: &'q str) -> Call<'c, 'q> {
        Call {
            state: self.state,
            began: self.began,
            sql,
            usage,
            is_bound: false,
        }
    }
}

/// The driver's connection, owned or from a pool.
pub(crate) enum Raw<DB: Driver> {
    Owned(DB::Connection),
    Pooled(pool::PoolConnection<DB>, Option<Lease>),
}

impl<DB: Driver> Connection<DB> {
    /// Traces the calls on `raw`, with `options`. `connect_options` name the server and database.
    pub fn new(
        raw: DB::Connection,
        connect_options: &ConnectOptionsOf<DB>,
        options: TraceOptions,
    ) -> Self {
        let state = State::new::<DB>(DB::target(connect_options), options);
        Self::from_parts(Raw::Owned(raw), Arc::new(state))
    }

    /// Opens a connection that belongs to no pool.
    ///
    /// # Errors
    /// If `url` cannot be parsed, or the database cannot be reached.
    pub fn connect(url: &str) -> impl Future<Output = Result<Self>> + Send + 'static + use<DB> {
        let options = url.parse::<ConnectOptionsOf<DB>>();
        let options = options.map(|options| (DB::target_at(url, &options), options));
        async move {
            let (target, options) = options?;
            let raw = DB::Connection::connect_with(&options).await?;
            let state = State::new::<DB>(target, TraceOptions::new());
            Ok(Self::from_parts(Raw::Owned(raw), Arc::new(state)))
        }
    }

    /// Opens a connection that belongs to no pool, with these connect options.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn connect_with(options: &ConnectOptionsOf<DB>) -> Result<Self> {
        let raw = DB::Connection::connect_with(options).await?;
        Ok(Self::new(raw, options, TraceOptions::new()))
    }

    /// Closes the connection, and notifies the database.
    ///
    /// # Errors
    /// If the database cannot be notified.
    pub async fn close(self) -> Result<()> {
        match self.raw {
            Raw::Owned(raw) => raw.close().await,
            Raw::Pooled(raw, _lease) => raw.close().await,
        }
    }

    /// Checks that the database answers. The check is not traced.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn ping(&mut self) -> Result<()> {
        self.raw_mut().ping().await
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        self.raw().is_in_transaction()
    }

    /// The number of cached prepared statements.
    #[must_use]
    pub fn cached_statements_size(&self) -> usize
    where
        DB: HasStatementCache,
    {
        self.raw().cached_statements_size()
    }

    /// Removes all cached prepared statements.
    ///
    /// # Errors
    /// If the database cannot be notified.
    pub async fn clear_cached_statements(&mut self) -> Result<()>
    where
        DB: HasStatementCache,
    {
        self.raw_mut().clear_cached_statements().await
    }

    /// Shrinks the connection's buffers to their content.
    pub fn shrink_buffers(&mut self) {
        self.raw_mut().shrink_buffers();
    }

    /// Sqlx's own connection.
    #[must_use]
    pub fn raw(&self) -> &DB::Connection {
        match &self.raw {
            Raw::Owned(raw) => raw,
            Raw::Pooled(raw, _) => raw,
        }
    }

    /// Sqlx's own connection, for code that requires it. Calls on it are not traced.
    pub fn raw_mut(&mut self) -> &mut DB::Connection {
        self.split().0
    }

    pub(crate) fn from_parts(raw: Raw<DB>, state: Arc<State>) -> Self {
        Self {
            raw,
            state,
            depth: 0,
            began: None,
        }
    }

    /// The driver's connection, and the data for tracing calls on it.
    pub(crate) fn split(&mut self) -> (&mut DB::Connection, Site<'_>) {
        let raw = match &mut self.raw {
            Raw::Owned(raw) => raw,
            Raw::Pooled(raw, _) => &mut **raw,
        };
        let site = Site {
            state: &self.state,
            began: self.began.as_ref(),
        };
        (raw, site)
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Detaches the connection from its pool, if it has one, with `take`.
    pub(crate) fn own(self, take: impl FnOnce(pool::PoolConnection<DB>) -> DB::Connection) -> Self {
        let raw = match self.raw {
            Raw::Owned(raw) => raw,
            Raw::Pooled(raw, _lease) => take(raw),
        };
        Self {
            raw: Raw::Owned(raw),
            ..self
        }
    }

    pub(crate) fn close_on_drop(&mut self) {
        if let Raw::Pooled(raw, _) = &mut self.raw {
            raw.close_on_drop();
        }
    }
}

impl<DB: Driver> AsRef<Self> for Connection<DB> {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl<DB: Driver> AsMut<Self> for Connection<DB> {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl<DB: Driver> fmt::Debug for Connection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
