//! What needs a process for itself: the global providers, and what a query allocates with them and without.
//!
//! It is one test, since its steps are those of a process.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use azmon_sqlx::{PgConnection, SqliteConnection};
use azmon_test_databases::Kind;
use futures_util::TryStreamExt;
use opentelemetry::global;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanProcessor};
use sqlx::{Connection, Database, Executor, IntoArguments};
use tokio::runtime::{Builder, Runtime};

/// Numbers of allocations, by the way a query is run.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Allocations {
    execute: u64,
    fetch_all: u64,
    fetch_one: u64,
    fetch_optional: u64,
    fetch: u64,
    fetch_many: u64,
}

impl Allocations {
    fn of<DB, C>(runtime: &Runtime, connection: &mut C, patience: u32) -> Self
    where
        DB: Database<Arguments: IntoArguments<DB>>,
        for<'c> &'c mut C: Executor<'c, Database = DB>,
    {
        const SELECT: &str = "SELECT name FROM users WHERE id = 1";
        let query = || sqlx::query::<DB>(SELECT);
        let mut fewest = |run: &mut dyn FnMut(&mut C)| {
            run(connection);
            fewest(patience, || measure(|| run(connection)).count_total)
        };
        Self {
            execute: fewest(&mut |connection| {
                runtime.block_on(query().execute(connection)).unwrap();
            }),
            fetch_all: fewest(&mut |connection| {
                runtime.block_on(query().fetch_all(connection)).unwrap();
            }),
            fetch_one: fewest(&mut |connection| {
                runtime.block_on(query().fetch_one(connection)).unwrap();
            }),
            fetch_optional: fewest(&mut |connection| {
                runtime
                    .block_on(query().fetch_optional(connection))
                    .unwrap();
            }),
            fetch: fewest(&mut |connection| {
                let mut rows = query().fetch(connection);
                while runtime.block_on(rows.try_next()).unwrap().is_some() {}
            }),
            fetch_many: fewest(&mut |connection| {
                let mut steps = connection.fetch_many(query());
                while runtime.block_on(steps.try_next()).unwrap().is_some() {}
            }),
        }
    }

    fn each(self) -> [u64; 6] {
        [
            self.execute,
            self.fetch_all,
            self.fetch_one,
            self.fetch_optional,
            self.fetch,
            self.fetch_many,
        ]
    }

    #[track_caller]
    fn assert_at_most(self, allowed: u64, bare: Self) {
        let within = self
            .each()
            .iter()
            .zip(bare.each())
            .all(|(ours, bare)| *ours <= bare + allowed);
        assert!(within, "{self:?} is more than {bare:?} and {allowed} each");
    }
}

/// The fewest of many rounds, until they have not become fewer for long.
///
/// How often the thread of SQLite has to be woken is up to chance and the load, and costs allocations.
fn fewest(patience: u32, mut round: impl FnMut() -> u64) -> u64 {
    let (mut fewest, mut rest) = (u64::MAX, patience);
    while rest > 0 {
        let count = round();
        rest = if count < fewest { patience } else { rest - 1 };
        fewest = fewest.min(count);
    }
    fewest
}

/// A processor that keeps nothing, as one that hands over without allocating would cost.
#[derive(Debug, Clone, Default)]
struct Nowhere(Arc<AtomicU64>);

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

/// For how many rounds the number must not have become smaller.
const SQLITE: u32 = 3000;
const POSTGRES: u32 = 100;

#[test]
fn global_providers_are_found_late_and_queries_allocate_little() {
    const CREATE: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'Ada')";
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut plain = runtime
        .block_on(sqlx::SqliteConnection::connect("sqlite::memory:"))
        .unwrap();
    let mut ours = runtime
        .block_on(SqliteConnection::connect("sqlite::memory:"))
        .unwrap();
    runtime
        .block_on(sqlx::raw_sql(CREATE).execute(&mut plain))
        .unwrap();
    runtime
        .block_on(sqlx::raw_sql(CREATE).execute(&mut ours))
        .unwrap();

    let bare = Allocations::of(&runtime, &mut plain, SQLITE);
    Allocations::of(&runtime, &mut ours, SQLITE).assert_at_most(0, bare);

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
        std::thread::sleep(Duration::from_millis(10));
    }
    let traced = Allocations::of(&runtime, &mut ours, SQLITE);
    traced.assert_at_most(4, bare);
    assert!(ended() >= 1000);

    let reader = PeriodicReader::builder(InMemoryMetricExporter::default()).build();
    global::set_meter_provider(SdkMeterProvider::builder().with_reader(reader).build());
    let mut measured = runtime
        .block_on(SqliteConnection::connect("sqlite::memory:"))
        .unwrap();
    runtime
        .block_on(sqlx::raw_sql(CREATE).execute(&mut measured))
        .unwrap();
    Allocations::of(&runtime, &mut measured, SQLITE).assert_at_most(4, bare);

    // PostgreSQL's driver works where it is polled, in the context of the span, which costs one more.
    let url = azmon_test_databases::url(Kind::Postgres).unwrap_or_else(|error| panic!("{error}"));
    let mut plain = runtime.block_on(sqlx::PgConnection::connect(&url)).unwrap();
    let mut measured = runtime.block_on(PgConnection::connect(&url)).unwrap();
    let temporary = CREATE.replace("CREATE", "CREATE TEMPORARY");
    for connection in [&mut plain, measured.raw_mut()] {
        runtime
            .block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(&*temporary)).execute(connection))
            .unwrap();
    }
    let bare_postgres = Allocations::of(&runtime, &mut plain, POSTGRES);
    let traced_postgres = Allocations::of(&runtime, &mut measured, POSTGRES);
    traced_postgres.assert_at_most(4, bare_postgres);
    println!("PostgreSQL: bare {bare_postgres:?}\ntraced {traced_postgres:?}");
    println!("SQLite: bare {bare:?}\ntraced {traced:?}");
}
