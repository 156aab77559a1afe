use std::ops::DerefMut;

use futures_core::future::BoxFuture;
use sqlx_core::{Result, acquire, transaction};

use crate::{Connection, Driver, Pool, PoolConnection, Transaction};

/// What a connection can be had from: a pool, a connection, or a transaction.
///
/// The counterpart of [`sqlx::Acquire`](acquire::Acquire) that stays traced. It has no lifetime, and so can be
/// used in futures that are spawned, where sqlx's is "not general enough". A transaction begins on the
/// connection: `acquire().await?.begin().await?`.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sqlx::Result<()> {
/// use azmon_sqlx::{Acquire, SqlitePool};
/// use sqlx::Sqlite;
///
/// async fn add(db: impl Acquire<Database = Sqlite>, name: &str) -> sqlx::Result<()> {
///     let mut connection = db.acquire().await?;
///     let mut tx = connection.begin().await?;
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

    /// Gives a connection; a pool may wait for one.
    ///
    /// # Errors
    /// As [`Pool::acquire`].
    fn acquire(self) -> impl Future<Output = Result<Self::Connection>> + Send;
}

impl<DB: Driver> Acquire for &Pool<DB> {
    type Database = DB;
    type Connection = PoolConnection<DB>;

    async fn acquire(self) -> Result<PoolConnection<DB>> {
        Pool::acquire(self).await
    }
}

impl<'c, DB: Driver> Acquire for &'c mut Connection<DB> {
    type Database = DB;
    type Connection = &'c mut Connection<DB>;

    async fn acquire(self) -> Result<Self::Connection> {
        Ok(self)
    }
}

impl<'c, DB: Driver> Acquire for &'c mut PoolConnection<DB> {
    type Database = DB;
    type Connection = &'c mut Connection<DB>;

    async fn acquire(self) -> Result<Self::Connection> {
        Ok(self)
    }
}

impl<'c, DB: Driver> Acquire for &'c mut Transaction<'_, DB> {
    type Database = DB;
    type Connection = &'c mut Connection<DB>;

    async fn acquire(self) -> Result<Self::Connection> {
        Ok(self)
    }
}

/// For migrations, and for libraries that take sqlx's trait. What they do is not traced.
impl<'a, DB: Driver> acquire::Acquire<'a> for &'_ Pool<DB> {
    type Database = DB;
    type Connection = sqlx_core::pool::PoolConnection<DB>;

    fn acquire(self) -> BoxFuture<'a, Result<Self::Connection>> {
        Box::pin(self.inner().acquire())
    }

    fn begin(self) -> BoxFuture<'a, Result<transaction::Transaction<'a, DB>>> {
        acquire::Acquire::begin(self.inner())
    }
}

/// The same for what holds a connection.
macro_rules! raw_acquire {
    ($($type:ty),*) => {
        $(
            /// For migrations, and for libraries that take sqlx's trait. What they do is not traced.
            impl<'a, DB: Driver> acquire::Acquire<'a> for &'a mut $type {
                type Database = DB;
                type Connection = &'a mut DB::Connection;

                fn acquire(self) -> BoxFuture<'a, Result<Self::Connection>> {
                    Box::pin(std::future::ready(Ok(self.raw_mut())))
                }

                fn begin(self) -> BoxFuture<'a, Result<transaction::Transaction<'a, DB>>> {
                    transaction::Transaction::begin(self.raw_mut(), None)
                }
            }
        )*
    };
}

raw_acquire!(Connection<DB>, PoolConnection<DB>, Transaction<'_, DB>);
