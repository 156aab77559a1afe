use std::fmt;
use std::ops::{Deref, DerefMut};

use futures_core::future::BoxFuture;
use sqlx_core::sql_str::{SqlSafeStr, SqlStr};
use sqlx_core::transaction::TransactionManager;
use sqlx_core::{Error, Result};

use crate::operation::{Began, Operation, Traced};
use crate::statements::Use;
use crate::{Connection, Driver};

/// A transaction or savepoint that is open: sqlx's [`Transaction`](sqlx_core::transaction::Transaction), traced.
///
/// `BEGIN`, `COMMIT`, `ROLLBACK`, and what they are for savepoints, are spans. A transaction that is dropped is
/// rolled back before the connection is used again; a span `ROLLBACK` with the attribute
/// [`azmon.dropped`](crate::DROPPED) tells so at once, beside that of `BEGIN`. In a task that has no span of its own
/// the spans of a transaction stay beside that of `BEGIN`, too.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sqlx::Result<()> {
/// # let pool = azmon_sqlx::SqlitePool::connect("sqlite::memory:").await?;
/// let mut tx = pool.begin().await?;
/// sqlx::query("CREATE TABLE users (name TEXT)").execute(&mut *tx).await?;
/// sqlx::query("INSERT INTO users VALUES (?)").bind("Ada").execute(&mut *tx).await?;
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
pub struct Transaction<'c, DB: Driver> {
    connection: Slot<'c, DB>,
    phase: Phase,
    /// How many transactions and savepoints this one is in.
    level: u32,
    /// Where it began, so that its end can be told there.
    began: Began,
}

enum Slot<'c, DB: Driver> {
    Borrowed(&'c mut Connection<DB>),
    Owned(Connection<DB>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// `BEGIN`, `COMMIT` or `ROLLBACK` has been sent, and not answered.
    Changing,
    Ended,
    Open,
}

impl<DB: Driver> Connection<DB> {
    /// Begins a transaction, or a savepoint if one is open.
    ///
    /// # Errors
    /// What the database says to `BEGIN` or `SAVEPOINT`.
    ///
    /// # Cancel safety
    /// If the future is dropped, what has begun is rolled back before the connection is used again.
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>> {
        Transaction::begin_borrowed(self, None).await
    }

    /// Begins a transaction by `statement`.
    ///
    /// # Errors
    /// What the database says to `statement`; `BeginFailed` if no transaction is open after it, and
    /// `InvalidSavePointStatement` if one is open before.
    pub async fn begin_with(&mut self, statement: impl SqlSafeStr) -> Result<Transaction<'_, DB>> {
        Transaction::begin_borrowed(self, Some(statement.into_sql_str())).await
    }

    /// Runs `callback` in a transaction, which is committed if that succeeds, and rolled back otherwise.
    ///
    /// # Errors
    /// That of `callback`, and what the database says to `BEGIN`, `COMMIT` and `ROLLBACK`.
    pub async fn transaction<'a, F, R, E>(&'a mut self, callback: F) -> Result<R, E>
    where
        for<'c> F:
            FnOnce(&'c mut Transaction<'_, DB>) -> BoxFuture<'c, Result<R, E>> + 'a + Send + Sync,
        R: Send,
        E: From<Error> + Send,
    {
        let mut transaction = self.begin().await?;
        match callback(&mut transaction).await {
            Ok(value) => {
                transaction.commit().await?;
                Ok(value)
            }
            Err(error) => {
                transaction.rollback().await?;
                Err(error)
            }
        }
    }
}

impl<'c, DB: Driver> Transaction<'c, DB> {
    pub(crate) async fn begin_borrowed(
        connection: &'c mut Connection<DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self> {
        Self::begin_on(Slot::Borrowed(connection), statement).await
    }

    pub(crate) async fn begin_owned(
        connection: Connection<DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self> {
        Self::begin_on(Slot::Owned(connection), statement).await
    }

    async fn begin_on(connection: Slot<'c, DB>, statement: Option<SqlStr>) -> Result<Self> {
        let level = connection.get().depth;
        // From here on dropping it rolls back, in case that `BEGIN` has reached the database.
        let mut transaction = Self {
            connection,
            phase: Phase::Changing,
            level,
            began: Began::here(),
        };
        let (raw, call) = transaction.connection.get_mut().split();
        let sql = match &statement {
            Some(statement) => statement.as_str(),
            None => by_level(level, "BEGIN", "SAVEPOINT"),
        };
        let operation = Operation::start(call.of(Use::Run, sql));
        Traced::new(
            operation,
            |_, ()| {},
            DB::TransactionManager::begin(raw, statement),
        )
        .await?;
        transaction.phase = Phase::Open;
        let connection = transaction.connection.get_mut();
        connection.depth = level + 1;
        if level == 0 {
            connection.began = Some(transaction.began.clone());
        }
        Ok(transaction)
    }

    /// Commits the transaction, or releases the savepoint.
    ///
    /// # Errors
    /// What the database says to `COMMIT`, such as constraints that are deferred until then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the transaction may be committed or not; the connection stays usable.
    pub async fn commit(mut self) -> Result<()> {
        let sql = by_level(self.level, "COMMIT", "RELEASE SAVEPOINT");
        self.end(sql, DB::TransactionManager::commit).await
    }

    /// Rolls back the transaction, or to the savepoint.
    ///
    /// # Errors
    /// What the database says to `ROLLBACK`.
    pub async fn rollback(mut self) -> Result<()> {
        let sql = by_level(self.level, "ROLLBACK", "ROLLBACK TO SAVEPOINT");
        self.end(sql, DB::TransactionManager::rollback).await
    }

    async fn end(
        &mut self,
        sql: &str,
        how: impl AsyncFnOnce(&mut DB::Connection) -> Result<()>,
    ) -> Result<()> {
        self.phase = Phase::Changing;
        let connection = self.connection.get_mut();
        connection.depth = self.level;
        let (raw, call) = connection.split();
        let operation = Operation::start(call.of(Use::Run, sql));
        Traced::new(operation, |_, ()| {}, how(raw)).await?;
        self.phase = Phase::Ended;
        if self.level == 0 {
            self.connection.get_mut().began = None;
        }
        Ok(())
    }

    /// Gives the connection, on which the transaction stays open.
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
        Ok(self.connection.get_mut())
    }

    /// Begins a savepoint.
    ///
    /// # Errors
    /// What the database says to `SAVEPOINT`.
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>> {
        self.connection.get_mut().begin().await
    }
}

impl<DB: Driver> Drop for Transaction<'_, DB> {
    fn drop(&mut self) {
        if self.phase == Phase::Ended {
            return;
        }
        let connection = self.connection.get_mut();
        connection.depth = self.level;
        if self.level == 0 {
            connection.began = None;
        }
        if self.phase == Phase::Open {
            let sql = by_level(self.level, "ROLLBACK", "ROLLBACK TO SAVEPOINT");
            Operation::dropped_transaction(connection.state(), sql, &self.began);
        }
        DB::TransactionManager::start_rollback(connection.raw_mut());
    }
}

impl<DB: Driver> Slot<'_, DB> {
    fn get(&self) -> &Connection<DB> {
        match self {
            Self::Borrowed(connection) => connection,
            Self::Owned(connection) => connection,
        }
    }

    fn get_mut(&mut self) -> &mut Connection<DB> {
        match self {
            Self::Borrowed(connection) => connection,
            Self::Owned(connection) => connection,
        }
    }
}

impl<DB: Driver> Deref for Transaction<'_, DB> {
    type Target = Connection<DB>;

    fn deref(&self) -> &Connection<DB> {
        self.connection.get()
    }
}

impl<DB: Driver> DerefMut for Transaction<'_, DB> {
    fn deref_mut(&mut self) -> &mut Connection<DB> {
        self.connection.get_mut()
    }
}

impl<DB: Driver> AsRef<Connection<DB>> for Transaction<'_, DB> {
    fn as_ref(&self) -> &Connection<DB> {
        self
    }
}

impl<DB: Driver> AsMut<Connection<DB>> for Transaction<'_, DB> {
    fn as_mut(&mut self) -> &mut Connection<DB> {
        self
    }
}

impl<DB: Driver> fmt::Debug for Transaction<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("level", &self.level)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

fn by_level(level: u32, transaction: &'static str, savepoint: &'static str) -> &'static str {
    match level {
        0 => transaction,
        _ => savepoint,
    }
}
