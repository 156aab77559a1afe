use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::Result;
use sqlx_core::describe::Describe;
use sqlx_core::executor::{Execute, Executor};
use sqlx_core::sql_str::SqlStr;

use super::generator::generate;
use super::rows::Rows;
use super::run::{self, Step};
use crate::{Connection, Driver, Parts, Pool};

/// Waits for a connection at the first poll.
///
/// The future of `Pool::acquire` is made at the first poll only: otherwise the outer future would store it twice.
impl<'p, DB: Driver> Executor<'p> for &'_ Pool<DB> {
    type Database = DB;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::QueryResult>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (pool, query) = (self.clone(), Parts::take(query));
        Box::pin(async move { run::execute(&mut pool.lease().await?, query).await })
    }

    fn execute_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<DB::QueryResult>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        stream(self, Parts::take(query), |connection, query| {
            Rows::only_results(connection, query)
        })
    }

    fn fetch<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<DB::Row>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        stream(self, Parts::take(query), |connection, query| {
            Rows::only_rows(connection, query)
        })
    }

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step<DB>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        stream(self, Parts::take(query), |connection, query| {
            Rows::many(connection, query)
        })
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<DB::Row>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (pool, query) = (self.clone(), Parts::take(query));
        Box::pin(async move { run::fetch_all(&mut pool.lease().await?, query).await })
    }

    fn fetch_one<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::Row>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (pool, query) = (self.clone(), Parts::take(query));
        Box::pin(async move { run::fetch_one(&mut pool.lease().await?, query).await })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (pool, query) = (self.clone(), Parts::take(query));
        Box::pin(async move { run::fetch_optional(&mut pool.lease().await?, query).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move { run::prepare_with(&mut pool.lease().await?, sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move { run::describe(&mut pool.lease().await?, sql).await })
    }
}

/// Waits for a connection and keeps it, and streams the items that `run` returns for it.
fn stream<'e, DB: Driver, T: Send + 'e>(
    pool: &Pool<DB>,
    query: Parts<DB>,
    run: for<'c> fn(&'c mut Connection<DB>, Parts<DB>) -> Rows<'c, DB, T>,
) -> BoxStream<'e, Result<T>> {
    let pool = pool.clone();
    generate(|place| async move {
        let mut connection = pool.lease().await?;
        let mut items = run(&mut connection, query);
        while let Some(item) = poll_fn(|context| Pin::new(&mut items).poll_next(context)).await {
            place.give(item?).await;
        }
        Ok(())
    })
}
