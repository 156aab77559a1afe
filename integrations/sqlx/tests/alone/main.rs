//! Tests of process-wide state: the global providers, and the allocations of a query with and without them.
//!
//! It is a single test, whose steps run in one order.
#![cfg(test)]

mod allocations;
mod direct;
mod start;
mod untraced;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use azmon_sqlx::{PgConnection, SqliteConnection};
use azmon_test_databases::Kind;
use opentelemetry::global;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanProcessor};
use sqlx::{AssertSqlSafe, Connection};
use tokio::runtime::{Builder, Runtime};

use self::allocations::{Allocations, ROUNDS, SOCKET, SQLITE};

/// A processor that discards spans, and allocates nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nowhere(pub(crate) Arc<AtomicU64>);

impl SpanProcessor for Nowhere {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &opentelemetry::Context) {}

    fn on_end(&self, _: SpanData) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }
}

const CREATE: &str =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'Ada')";

#[test]
fn global_providers_are_found_late_and_queries_allocate_little() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    untraced::assert_told_once(&runtime);

    let mut plain = runtime
        .block_on(sqlx::SqliteConnection::connect("sqlite::memory:"))
        .unwrap();
    runtime
        .block_on(sqlx::raw_sql(CREATE).execute(&mut plain))
        .unwrap();
    let bare = Allocations::of(&runtime, &mut plain, SQLITE);
    bare.assert_steady();

    let mut ours = sqlite(&runtime);
    Allocations::of(&runtime, &mut ours, SQLITE).assert_at_most(0, &bare);

    let spans = Nowhere::default();
    let ended = || spans.0.load(Ordering::Relaxed);
    global::set_tracer_provider(
        SdkTracerProvider::builder()
            .with_span_processor(spans.clone())
            .build(),
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    while ended() == 0 {
        assert!(Instant::now() < deadline, "the provider is not found");
        runtime
            .block_on(sqlx::query("SELECT 1").execute(&mut ours))
            .unwrap();
    }
    let before = ended();
    let traced = Allocations::of(&runtime, &mut ours, SQLITE);
    traced.assert_at_most(3, &bare);
    assert!(ended() - before >= ROUNDS as u64);
    direct::assert_the_same_is_said(&runtime, &bare);

    let metrics = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(metrics.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    global::set_meter_provider(provider.clone());
    let mut measured = sqlite(&runtime);
    Allocations::of(&runtime, &mut measured, SQLITE).assert_at_most(3, &bare);
    provider.force_flush().unwrap();
    let exported = metrics.get_finished_metrics().unwrap();
    assert!(
        exported
            .iter()
            .any(|metrics| metrics.scope_metrics().count() > 0)
    );

    // PostgreSQL's driver works in the polling task, in the context of the span, which costs one allocation more.
    let url = azmon_test_databases::url(Kind::Postgres).unwrap_or_else(|error| panic!("{error}"));
    let mut plain = runtime.block_on(sqlx::PgConnection::connect(&url)).unwrap();
    let mut measured = runtime.block_on(PgConnection::connect(&url)).unwrap();
    let temporary = CREATE.replace("CREATE", "CREATE TEMPORARY");
    for connection in [&mut plain, measured.raw_mut()] {
        runtime
            .block_on(sqlx::raw_sql(AssertSqlSafe(&*temporary)).execute(connection))
            .unwrap();
    }
    let bare = Allocations::of(&runtime, &mut plain, SOCKET);
    Allocations::of(&runtime, &mut measured, SOCKET).assert_at_most(4, &bare);

    assert_buffers_shrink(&runtime, &mut measured);
    start::assert_every_first_query_is_told(&ended);
    start::assert_a_new_provider_is_found(&mut ours, &runtime);
}

/// A large argument leaves a large buffer behind.
fn assert_buffers_shrink(runtime: &Runtime, connection: &mut PgConnection) {
    let query = sqlx::query("SELECT length($1)").bind("x".repeat(10_000_000));
    runtime.block_on(query.execute(&mut *connection)).unwrap();
    let freed = -measure(|| connection.shrink_buffers()).bytes_current;
    assert!(freed > 1_000_000, "{freed} bytes");
}

fn sqlite(runtime: &Runtime) -> SqliteConnection {
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(CREATE)
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    })
}
