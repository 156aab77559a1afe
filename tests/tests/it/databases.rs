//! Queries to real databases, in the form that Azure Monitor shows.

use std::borrow::Cow;

use azmon::Telemetry;
use azmon::envelope::{Data, RemoteDependencyData};
use azmon::testing::InMemoryDestination;
use azmon_sqlx::{Driver, Pool, PoolOptions, TraceOptions};
use azmon_test_databases::{Kind, url};
use sqlx::{MySql, Postgres, Sqlite};

struct Bench {
    telemetry: Telemetry,
    destination: InMemoryDestination,
}

impl Bench {
    fn new() -> Self {
        let destination = InMemoryDestination::new();
        let builder = Telemetry::builder()
            .destination(&destination)
            .install_globally(false);
        Self {
            telemetry: builder.build().unwrap(),
            destination,
        }
    }

    async fn connect<DB: Driver>(&self, url: &str) -> Pool<DB> {
        let trace = TraceOptions::new().tracer_provider(self.telemetry.tracer_provider());
        PoolOptions::new()
            .max_connections(1)
            .trace(trace)
            .connect(url)
            .await
            .unwrap()
    }

    /// The dependencies that have arrived.
    fn arrived(&self) -> Vec<RemoteDependencyData<'static>> {
        self.telemetry.force_flush().unwrap();
        let envelopes = self.destination.envelopes().into_iter();
        let dependencies = envelopes.map(|envelope| match envelope.data {
            Data::RemoteDependency(data) => data,
            other => panic!("{other:?}"),
        });
        dependencies.collect()
    }
}

/// Type, target, name and data.
fn shown(data: &RemoteDependencyData<'_>) -> [String; 4] {
    let text = |field: &Option<Cow<'_, str>>| field.as_deref().unwrap_or_default().to_owned();
    let [kind, target, data_field] = [&data.dependency_type, &data.target, &data.data].map(text);
    [kind, target, data.name.to_string(), data_field]
}

/// Host and database of a URL in the form of a target, with a port that is not the default one.
fn target(url: &str, database: &str) -> String {
    let (_, rest) = url.split_once('@').unwrap();
    let (host, _) = rest.split_once('/').unwrap();
    format!("{host}|{database}")
}

#[tokio::test]
async fn a_query_of_sqlite_is_a_dependency_of_sql() {
    let bench = Bench::new();
    let pool = bench.connect::<Sqlite>("sqlite::memory:").await;
    sqlx::query("SELECT 'secret'").execute(&pool).await.unwrap();
    let arrived = bench.arrived();
    let [kind, _, name, data] = shown(&arrived[0]);
    assert_eq!([&*kind, &*name, &*data], ["SQL", "SELECT", "SELECT ?"]);
    assert!(arrived[0].success);
}

#[tokio::test]
async fn a_query_of_postgresql_is_a_dependency_of_host_and_database() {
    let bench = Bench::new();
    let url = url(Kind::Postgres).unwrap();
    let pool = bench.connect::<Postgres>(&url).await;
    sqlx::query("SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'secret'")
        .execute(&pool)
        .await
        .unwrap();
    let failed = sqlx::query("SELECT nothing FROM nowhere")
        .execute(&pool)
        .await;
    assert!(failed.is_err());
    let arrived = bench.arrived();
    let database = url.rsplit('/').next().unwrap();
    let expected = [
        "postgresql",
        &target(&url, database),
        "SELECT pg_catalog.pg_class",
        "SELECT count(*) FROM pg_catalog.pg_class WHERE relname = ?",
    ];
    assert_eq!(shown(&arrived[0]), expected);
    assert!(!arrived[1].success);
    let code = arrived[1]
        .properties
        .get("db.response.status_code")
        .unwrap();
    assert_eq!(code, "42P01");
}

#[tokio::test]
async fn a_query_of_mariadb_is_a_dependency_of_host_and_database() {
    let bench = Bench::new();
    let url = url(Kind::MariaDb).unwrap();
    let pool = bench.connect::<MySql>(&url).await;
    sqlx::query("SELECT 1 FROM information_schema.tables WHERE table_name = 'secret'")
        .execute(&pool)
        .await
        .unwrap();
    let arrived = bench.arrived();
    let database = url.rsplit('/').next().unwrap();
    let [kind, found, name, data] = shown(arrived.last().unwrap());
    assert_eq!([kind, found], ["mysql", &target(&url, database)]);
    assert_eq!(name, "SELECT information_schema.tables");
    assert!(!data.contains("secret"), "{data}");
}
