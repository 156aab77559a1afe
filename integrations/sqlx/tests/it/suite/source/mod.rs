//! The suite. `super::database` is the product.

mod errors;
mod metrics;
mod options;
mod spans;
mod streams;
mod transactions;

use azmon_sqlx::{Pool, TraceOptions};

use super::database;
use super::database::{ConnectOptions, Db, PoolOptions};
use crate::support::Telemetry;

/// A new database with a table of users, and a pool with its own telemetry.
struct Fixture {
    telemetry: Telemetry,
    connect_options: ConnectOptions,
    pool: Pool<Db>,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(|options| options).await
    }

    async fn with(trace: impl FnOnce(TraceOptions) -> TraceOptions) -> Self {
        Self::build(PoolOptions::new().max_connections(1), trace).await
    }

    async fn build(pool: PoolOptions, trace: impl FnOnce(TraceOptions) -> TraceOptions) -> Self {
        let telemetry = Telemetry::new();
        let connect_options = database::new_database().await;
        let trace = trace(telemetry.options());
        let pool = pool
            .trace(trace)
            .connect_with(connect_options.clone())
            .await
            .unwrap();
        sqlx::query(database::CREATE)
            .execute(pool.inner())
            .await
            .unwrap();
        Self {
            telemetry,
            connect_options,
            pool,
        }
    }

    async fn add(&self, name: &str) {
        sqlx::query(database::INSERT)
            .bind(name)
            .execute(self.pool.inner())
            .await
            .unwrap();
    }
}
