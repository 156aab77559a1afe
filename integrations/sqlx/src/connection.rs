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

/// A connection to a database: sqlx's connection of the driver, traced.
///
/// This is what `&mut *tx` and `&mut *conn` give, and what a function takes that only needs to run queries:
/// `async fn rename(connection: &mut PgConnection)`. It has the methods of sqlx's `Connection` trait.
///
/// What needs sqlx's own connection gets it by [`Connection::raw_mut`]; what it does is not traced.
pub struct Connection<DB: Driver> {
    raw: Raw<DB>,
    state: Arc<State>,
    /// How many transactions and savepoints are open.
    ///
    /// Counted here, since SQLite's own count lags behind when a savepoint is dropped.
    pub(crate) depth: u32,
    /// Where the transaction began that is open.
    pub(crate) began: Option<Began>,
}

/// What calls on a connection have in common.
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

/// Who owns the connection of the driver.
pub(crate) enum Raw<DB: Driver> {
    Owned(DB::Connection),
    Pooled(pool::PoolConnection<DB>, Option<Lease>),
}

impl<DB: Driver> Connection<DB> {
    /// Traces what is done with `raw`, which leads where `connect_options` say, as `options` say.
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

    /// Opens a connection that belongs to no pool, by connect options.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn connect_with(options: &ConnectOptionsOf<DB>) -> Result<Self> {
        let raw = DB::Connection::connect_with(options).await?;
        Ok(Self::new(raw, options, TraceOptions::new()))
    }

    /// Closes the connection, with a word to the database.
    ///
    /// # Errors
    /// If the database cannot be told.
    pub async fn close(self) -> Result<()> {
        match self.raw {
            Raw::Owned(raw) => raw.close().await,
            Raw::Pooled(raw, _lease) => raw.close().await,
        }
    }

    /// Asks the database whether it is there. This is not traced.
    ///
    /// # Errors
    /// If it is not.
    pub async fn ping(&mut self) -> Result<()> {
        self.raw_mut().ping().await
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        self.raw().is_in_transaction()
    }

    /// The number of statements that are prepared and kept.
    #[must_use]
    pub fn cached_statements_size(&self) -> usize
    where
        DB: HasStatementCache,
    {
        self.raw().cached_statements_size()
    }

    /// Forgets the statements that are prepared and kept.
    ///
    /// # Errors
    /// If the database cannot be told.
    pub async fn clear_cached_statements(&mut self) -> Result<()>
    where
        DB: HasStatementCache,
    {
        self.raw_mut().clear_cached_statements().await
    }

    /// Gives back memory that the connection's buffers hold in excess.
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

    /// Sqlx's own connection, for what takes no other. What is done with it is not traced.
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

    /// The connection of the driver, and what is needed to trace what it does.
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

    /// Takes the connection out of its pool, if it belongs to one, by `take`.
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
