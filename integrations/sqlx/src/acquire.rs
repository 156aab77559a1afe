use std::ops::DerefMut;
use std::sync::Once;

use futures_core::future::BoxFuture;
use log::Level;
use sqlx_core::{Result, acquire, transaction};

use crate::{Connection, Driver, Pool, PoolConnection, Transaction};

/// A source of connections: a pool, a connection or a transaction.
///
/// The traced counterpart of [`sqlx::Acquire`](acquire::Acquire). It has no lifetime parameter, so that spawned
/// futures can use it, where sqlx's trait is "not general enough".
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sqlx::Result<()> {
/// use azmon_sqlx::{Acquire, OpenTransaction, SqlitePool};
/// use sqlx::Sqlite;
///
/// async fn add(db: impl Acquire<Database = Sqlite>, name: &str) -> sqlx::Result<()> {
///     let mut tx = db.begin().await?;
///     sqlx::query("INSERT INTO users VALUES (?)").bind(name).execute(&mut *tx).await?;
///     tx.commit().await
/// }
///
/// let pool = SqlitePool::connect("sqlite::memory:").await?;
/// let mut tx = pool.begin().await?;
/// sqlx::query("CREATE TABLE users (name TEXT)").execute(&mut *tx).await?;
/// add(&mut tx, "Ada").await?;
/// # Ok(())
/// # }
/// ```
pub trait Acquire: Sized + Send {
    /// The driver of the connection.
    type Database: Driver;

    /// The connection, owned or borrowed.
    type Connection: DerefMut<Target = Connection<Self::Database>> + Send;

    /// The transaction: a [`Transaction`] that borrows the connection it begins on.
    type Transaction: OpenTransaction<Database = Self::Database>;

    /// Returns a connection; a pool may wait for one.
    ///
    /// # Errors
    /// As [`Pool::acquire`].
    fn acquire(self) -> impl Future<Output = Result<Self::Connection>> + Send;

    /// Begins a transaction, or a savepoint if one is open; a pool may wait for a connection.
    ///
    /// # Errors
    /// As [`Pool::begin`].
    fn begin(self) -> impl Future<Output = Result<Self::Transaction>> + Send;
}

/// A [`Transaction`] without its lifetime, for code that is generic over [`Acquire`]. Import the trait to call
/// its methods.
pub trait OpenTransaction: DerefMut<Target = Connection<Self::Database>> + Sized + Send {
    /// The driver of the connection.
    type Database: Driver;

    /// Commits the transaction, or releases the savepoint: [`Transaction::commit`].
    ///
    /// # Errors
    /// The database's error for `COMMIT`.
    fn commit(self) -> impl Future<Output = Result<()>> + Send;

    /// Rolls back the transaction, or to the savepoint: [`Transaction::rollback`].
    ///
    /// # Errors
    /// The database's error for `ROLLBACK`.
    fn rollback(self) -> impl Future<Output = Result<()>> + Send;
}

impl<DB: Driver> OpenTransaction for Transaction<'_, DB> {
    type Database = DB;

    async fn commit(self) -> Result<()> {
        Transaction::commit(self).await
    }

    async fn rollback(self) -> Result<()> {
        Transaction::rollback(self).await
    }
}

impl<DB: Driver> Acquire for &Pool<DB> {
    type Database = DB;
    type Connection = PoolConnection<DB>;
    type Transaction = Transaction<'static, DB>;

    async fn acquire(self) -> Result<PoolConnection<DB>> {
        Pool::acquire(self).await
    }

    async fn begin(self) -> Result<Transaction<'static, DB>> {
        Pool::begin(self).await
    }
}

impl<'c, DB: Driver> Acquire for &'c mut Connection<DB> {
    type Database = DB;
    type Connection = &'c mut Connection<DB>;
    type Transaction = Transaction<'c, DB>;

    async fn acquire(self) -> Result<Self::Connection> {
        Ok(self)
    }

    async fn begin(self) -> Result<Transaction<'c, DB>> {
        let connection: &'c mut Connection<DB> = self;
        connection.begin().await
    }
}

impl<'c, DB: Driver> Acquire for &'c mut PoolConnection<DB> {
    type Database = DB;
    type Connection = &'c mut Connection<DB>;
    type Transaction = Transaction<'c, DB>;

    async fn acquire(self) -> Result<Self::Connection> {
        Ok(self)
    }

    async fn begin(self) -> Result<Transaction<'c, DB>> {
        let connection: &'c mut Connection<DB> = self;
        connection.begin().await
    }
}

impl<'c, DB: Driver> Acquire for &'c mut Transaction<'_, DB> {
    type Database = DB;
    type Connection = &'c mut Connection<DB>;
    type Transaction = Transaction<'c, DB>;

    async fn acquire(self) -> Result<Self::Connection> {
        Ok(self)
    }

    async fn begin(self) -> Result<Transaction<'c, DB>> {
        let connection: &'c mut Connection<DB> = self;
        connection.begin().await
    }
}

/// Logs, once for each `told`, that the following queries are not traced.
fn warn_of_untraced(level: Level, told: &Once, what: &str) {
    told.call_once(|| {
        log::log!(
            level,
            "{what} of sqlx's trait `Acquire`: what is done with it is not traced, unlike what is done by \
             azmon_sqlx::Acquire; migrations need it"
        );
    });
}

/// Warns about untraced queries at a lower level, since migrations only acquire a connection.
fn tell_of_acquire() {
    static TOLD: Once = Once::new();
    warn_of_untraced(Level::Info, &TOLD, "a connection was taken by `acquire`");
}

fn warn_of_begin() {
    static TOLD: Once = Once::new();
    warn_of_untraced(Level::Warn, &TOLD, "a transaction was begun by `begin`");
}

/// For migrations, and for libraries that take sqlx's trait. Their queries are not traced.
impl<'a, DB: Driver> acquire::Acquire<'a> for &'_ Pool<DB> {
    type Database = DB;
    type Connection = sqlx_core::pool::PoolConnection<DB>;

    fn acquire(self) -> BoxFuture<'a, Result<Self::Connection>> {
        tell_of_acquire();
        Box::pin(self.inner().acquire())
    }

    fn begin(self) -> BoxFuture<'a, Result<transaction::Transaction<'a, DB>>> {
        warn_of_begin();
        acquire::Acquire::begin(self.inner())
    }
}

/// The same for types that hold a connection.
macro_rules! raw_acquire {
    ($($type:ty),*) => {
        $(
            /// For migrations, and for libraries that take sqlx's trait. Their queries are not traced.
            impl<'a, DB: Driver> acquire::Acquire<'a> for &'a mut $type {
                type Database = DB;
                type Connection = &'a mut DB::Connection;

                fn acquire(self) -> BoxFuture<'a, Result<Self::Connection>> {
                    tell_of_acquire();
                    Box::pin(std::future::ready(Ok(self.raw_mut())))
                }

                fn begin(self) -> BoxFuture<'a, Result<transaction::Transaction<'a, DB>>> {
                    warn_of_begin();
                    transaction::Transaction::begin(self.raw_mut(), None)
                }
            }
        )*
    };
}

raw_acquire!(Connection<DB>, PoolConnection<DB>, Transaction<'_, DB>);
