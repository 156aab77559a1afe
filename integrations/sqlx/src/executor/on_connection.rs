use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::Result;
use sqlx_core::describe::Describe;
use sqlx_core::executor::{Execute, Executor};
use sqlx_core::sql_str::SqlStr;

use super::rows::Rows;
use super::run::{self, Step};
use crate::{Connection, Driver, Parts};

/// Without telemetry, the driver's boxed future or stream is returned as it is, without a further box.
impl<'c, DB: Driver> Executor<'c> for &'c mut Connection<DB> {
    type Database = DB;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::QueryResult>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        Box::pin(run::execute(self, Parts::take(query)))
    }

    fn execute_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<DB::QueryResult>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        Box::pin(Rows::only_results(self, Parts::take(query)))
    }

    fn fetch<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<DB::Row>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        Box::pin(Rows::only_rows(self, Parts::take(query)))
    }

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step<DB>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        if self.state().is_observed() {
            Box::pin(Rows::many(self, Parts::take(query)))
        } else {
            DB::fetch_many(self.raw_mut(), Parts::take(query))
        }
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<DB::Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        Box::pin(run::fetch_all(self, Parts::take(query)))
    }

    fn fetch_one<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::Row>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        Box::pin(run::fetch_one(self, Parts::take(query)))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        if self.state().is_observed() {
            Box::pin(run::fetch_optional(self, Parts::take(query)))
        } else {
            DB::fetch_optional(self.raw_mut(), Parts::take(query))
        }
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement>>
    where
        'c: 'e,
    {
        if self.state().is_observed() {
            Box::pin(run::prepare_with(self, sql, parameters))
        } else {
            DB::prepare_with(self.raw_mut(), sql, parameters)
        }
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>>>
    where
        'c: 'e,
    {
        if self.state().is_observed() {
            Box::pin(run::describe(self, sql))
        } else {
            DB::describe(self.raw_mut(), sql)
        }
    }
}
