//! `Executor` for `&mut tx` and `&mut conn`, which plain sqlx accepts only after a dereference.

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx_core::Result;
use sqlx_core::describe::Describe;
use sqlx_core::executor::{Execute, Executor};
use sqlx_core::sql_str::SqlStr;

use super::run::Step;
use crate::{Driver, PoolConnection, Transaction};

macro_rules! forward {
    (impl[$($lifetime:lifetime)?] for $type:ty) => {
        impl<'c, $($lifetime,)? DB: Driver> Executor<'c> for &'c mut $type {
            type Database = DB;

            fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::QueryResult>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                (&mut **self).execute(query)
            }

            fn execute_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<DB::QueryResult>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                (&mut **self).execute_many(query)
            }

            fn fetch<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<DB::Row>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                (&mut **self).fetch(query)
            }

            fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step<DB>>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                (&mut **self).fetch_many(query)
            }

            fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<DB::Row>>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                (&mut **self).fetch_all(query)
            }

            fn fetch_one<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::Row>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                (&mut **self).fetch_one(query)
            }

            fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                (&mut **self).fetch_optional(query)
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [DB::TypeInfo],
            ) -> BoxFuture<'e, Result<DB::Statement>>
            where
                'c: 'e,
            {
                (&mut **self).prepare_with(sql, parameters)
            }

            fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>>>
            where
                'c: 'e,
            {
                (&mut **self).describe(sql)
            }
        }
    };
}

forward!(impl[] for PoolConnection<DB>);
forward!(impl['t] for Transaction<'t, DB>);
