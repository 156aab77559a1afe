use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx_core::Result;
use sqlx_core::pool;

use crate::connection::Raw;
use crate::state::State;
use crate::{Connection, Driver, Target, TraceOptions, Transaction};

/// A connection from a pool, to which it goes back when it is dropped: sqlx's
/// [`PoolConnection`](pool::PoolConnection), traced.
pub struct PoolConnection<DB: Driver>(Connection<DB>);

impl<DB: Driver> PoolConnection<DB> {
    pub(crate) fn new(connection: Connection<DB>) -> Self {
        Self(connection)
    }

    /// Gives the connection itself.
    ///
    /// With `use sqlx::Acquire` in scope, that trait's method of this name would give sqlx's own.
    ///
    /// # Errors
    /// Never.
    #[expect(
        clippy::unused_async,
        reason = "the method of sqlx's `Acquire` is a future"
    )]
    pub async fn acquire(&mut self) -> Result<&mut Connection<DB>> {
        Ok(&mut self.0)
    }

    /// Begins a transaction, or a savepoint if one is open.
    ///
    /// # Errors
    /// What the database says to `BEGIN` or `SAVEPOINT`.
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>> {
        self.0.begin().await
    }

    /// Closes the connection, so that the pool can open another.
    ///
    /// # Errors
    /// If the database cannot be told.
    pub async fn close(self) -> Result<()> {
        self.0.close().await
    }

    /// Closes the connection when it is dropped, instead of giving it back.
    pub fn close_on_drop(&mut self) {
        self.0.close_on_drop();
    }

    /// Takes the connection out of the pool, which can open another.
    #[must_use]
    pub fn detach(self) -> Connection<DB> {
        self.0.own(pool::PoolConnection::detach)
    }

    /// Takes the connection out of the pool, which counts it as in use for ever.
    #[must_use]
    pub fn leak(self) -> Connection<DB> {
        self.0.own(pool::PoolConnection::leak)
    }
}

impl<DB: Driver> From<pool::PoolConnection<DB>> for PoolConnection<DB> {
    /// Traces `raw`, of whose database no more is known than the product.
    ///
    /// A connection from our own [`Pool`](crate::Pool) knows its server and database, too.
    fn from(raw: pool::PoolConnection<DB>) -> Self {
        let state = State::new::<DB>(Target::of::<DB>(), TraceOptions::new());
        Self(Connection::from_parts(
            Raw::Pooled(raw, None),
            Arc::new(state),
        ))
    }
}

impl<DB: Driver> Deref for PoolConnection<DB> {
    type Target = Connection<DB>;

    fn deref(&self) -> &Connection<DB> {
        &self.0
    }
}

impl<DB: Driver> DerefMut for PoolConnection<DB> {
    fn deref_mut(&mut self) -> &mut Connection<DB> {
        &mut self.0
    }
}

impl<DB: Driver> AsRef<Connection<DB>> for PoolConnection<DB> {
    fn as_ref(&self) -> &Connection<DB> {
        &self.0
    }
}

impl<DB: Driver> AsMut<Connection<DB>> for PoolConnection<DB> {
    fn as_mut(&mut self) -> &mut Connection<DB> {
        &mut self.0
    }
}

impl<DB: Driver> fmt::Debug for PoolConnection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConnection").finish_non_exhaustive()
    }
}
