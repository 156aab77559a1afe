use std::fmt;
use std::ops::{Deref, DerefMut};

use futures_core::future::BoxFuture;
use sqlx_core::sql_str::{SqlSafeStr, SqlStr};
use sqlx_core::transaction::TransactionManager;
use sqlx_core::{Error, Result};

use crate::operation::{Began, Operation, Traced};
use crate::statements::Use;
use crate::{Connection, Driver};

/// An open, traced transaction or savepoint, around sqlx's [`Transaction`](sqlx_core::transaction::Transaction).
///
/// `BEGIN`, `COMMIT`, `ROLLBACK` and the statements of savepoints have spans. A dropped transaction is rolled
/// back before the next use of its connection; a `ROLLBACK` span with the attribute
/// [`azmon.dropped`](crate::DROPPED) records this at once, as a sibling of the `BEGIN` span. In a task without a
/// span, the spans of a transaction are also siblings of the `BEGIN` span.
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
    /// The number of transactions and savepoints around this one.
    level: u32,
    /// The context in which it began, for the spans of its end.
    began: Began,
}

enum Slot<'c, DB: Driver> {
    Borrowed(&'c mut Connection<DB>),
    Owned(Connection<DB>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// `BEGIN`, `COMMIT` or `ROLLBACK` was sent, and has no answer yet.
    Changing,
    Ended,
    Open,
}

impl<DB: Driver> Connection<DB> {
    /// Begins a transaction, or a savepoint if one is open.
    ///
    /// # Errors
    /// The database's error for `BEGIN` or `SAVEPOINT`.
    ///
    /// # Cancel safety
    /// If the future is dropped, a begun transaction is rolled back before the next use of the connection.
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>> {
        Transaction::begin_borrowed(self, None).await
    }

    /// Begins a transaction with `statement`.
    ///
    /// # Errors
    /// The database's error for `statement`; `BeginFailed` if no transaction is open after it, and
    /// `InvalidSavePointStatement` if one is open before.
    pub async fn begin_with(&mut self, statement: impl SqlSafeStr) -> Result<Transaction<'_, DB>> {
        Transaction::begin_borrowed(self, Some(statement.into_sql_str())).await
    }

    /// Runs `callback` in a transaction. Commits if it succeeds, and rolls back otherwise.
    ///
    /// # Errors
    /// The error of `callback`, and the database's errors for `BEGIN`, `COMMIT` and `ROLLBACK`.
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
        // From here on a drop rolls back, in case `BEGIN` has reached the database.
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
    /// The database's error for `COMMIT`, such as a violated deferred constraint.
    ///
    /// # Cancel safety
    /// If the future is dropped, the outcome is unknown: the transaction is committed or not. The connection
    /// stays usable.
    pub async fn commit(mut self) -> Result<()> {
        let sql = by_level(self.level, "COMMIT", "RELEASE SAVEPOINT");
        self.end(sql, DB::TransactionManager::commit).await
    }

    /// Rolls back the transaction, or to the savepoint.
    ///
    /// # Errors
    /// The database's error for `ROLLBACK`.
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

    /// Returns the connection, on which the transaction stays open.
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
        Ok(self.connection.get_mut())
    }

    /// Begins a savepoint.
    ///
    /// # Errors
    /// The database's error for `SAVEPOINT`.
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
