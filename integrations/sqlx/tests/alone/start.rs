use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use azmon_sqlx::{SqliteConnection, SqlitePool};
use opentelemetry::global;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Barrier;

use crate::Nowhere;

/// The number of pools.
const STARTS: u64 = 200;
/// The number of concurrent first queries of a pool.
const QUERIES: u32 = 16;

/// With a provider installed, none of many concurrent first queries is lost.
pub(crate) fn assert_every_first_query_is_told(ended: &dyn Fn() -> u64) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(8)
        .enable_all()
        .build()
        .unwrap();
    let before = ended();
    for _ in 0..STARTS {
        runtime.block_on(start());
    }
    assert_eq!(ended() - before, STARTS * u64::from(QUERIES));
}

async fn start() {
    let pool = sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(QUERIES)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    let mut held = Vec::new();
    for _ in 0..QUERIES {
        held.push(pool.acquire().await.unwrap().detach());
    }
    // The traced pool has not been used yet.
    let pool = SqlitePool::from(pool);
    let barrier = Arc::new(Barrier::new(held.len()));
    let tasks: Vec<_> = held
        .into_iter()
        .map(|raw| {
            let (mut connection, barrier) = (pool.wrap(raw), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                sqlx::query("SELECT 1")
                    .execute(&mut connection)
                    .await
                    .map(drop)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

/// A provider that replaces a shut-down provider is found by existing connections.
pub(crate) fn assert_a_new_provider_is_found(connection: &mut SqliteConnection, runtime: &Runtime) {
    let spans = Nowhere::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(spans.clone())
        .build();
    global::set_tracer_provider(provider);
    let deadline = Instant::now() + Duration::from_secs(20);
    while spans.0.load(Ordering::Relaxed) == 0 {
        assert!(Instant::now() < deadline, "the new provider is not found");
        runtime
            .block_on(sqlx::query("SELECT 1").execute(&mut *connection))
            .unwrap();
    }
}
