use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx_core::Result;
use sqlx_core::pool;

use crate::connection::Raw;
use crate::state::State;
use crate::{Connection, Driver, Target, TraceOptions, Transaction};

/// A traced connection from a pool, around sqlx's [`PoolConnection`](pool::PoolConnection). It returns to the
/// pool on drop.
pub struct PoolConnection<DB: Driver>(Connection<DB>);

impl<DB: Driver> PoolConnection<DB> {
    pub(crate) fn new(connection: Connection<DB>) -> Self {
        Self(connection)
    }

    /// Returns the connection itself.
    ///
    /// With `use sqlx::Acquire` in scope, that trait's method of the same name returns sqlx's own connection.
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
    /// The database's error for `BEGIN` or `SAVEPOINT`.
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>> {
        self.0.begin().await
    }

    /// Closes the connection, so that the pool can open another.
    ///
    /// # Errors
    /// If the database cannot be notified.
    pub async fn close(self) -> Result<()> {
        self.0.close().await
    }

    /// Closes the connection on drop, instead of returning it to the pool.
    pub fn close_on_drop(&mut self) {
        self.0.close_on_drop();
    }

    /// Detaches the connection from the pool, which can open another.
    #[must_use]
    pub fn detach(self) -> Connection<DB> {
        self.0.own(pool::PoolConnection::detach)
    }

    /// Detaches the connection from the pool, which still counts it as in use.
    #[must_use]
    pub fn leak(self) -> Connection<DB> {
        self.0.own(pool::PoolConnection::leak)
    }
}

impl<DB: Driver> From<pool::PoolConnection<DB>> for PoolConnection<DB> {
    /// Traces `raw`. Of its database, only the product is known.
    ///
    /// A connection from this crate's own [`Pool`](crate::Pool) also knows its server and database.
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
