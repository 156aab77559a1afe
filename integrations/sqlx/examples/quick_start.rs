//! A few queries, and the spans that they are, printed.
//!
//! ```text
//! cargo run -p azmon-sqlx --example quick_start
//! ```
#![expect(clippy::print_stdout, reason = "the spans are what this shows")]

use azmon_sqlx::{SqliteConnection, SqlitePool};
use opentelemetry::global;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

async fn add(connection: &mut SqliteConnection, name: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO users VALUES (?)")
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spans = InMemorySpanExporter::default();
    global::set_tracer_provider(
        SdkTracerProvider::builder()
            .with_simple_exporter(spans.clone())
            .build(),
    );

    let pool = SqlitePool::connect("sqlite::memory:").await?;
    sqlx::query("CREATE TABLE users (name TEXT UNIQUE)")
        .execute(&pool)
        .await?;
    let mut tx = pool.begin().await?;
    add(&mut tx, "Ada").await?;
    let twice = add(&mut tx, "Ada").await;
    assert!(twice.is_err());
    drop(tx);
    sqlx::query("SELECT name FROM users WHERE name = 'Ada' -- gone")
        .fetch_all(&pool)
        .await?;

    for span in spans.get_finished_spans()? {
        println!("{} {:?}", span.name, span.status);
        for attribute in span.attributes {
            println!("    {} = {}", attribute.key, attribute.value);
        }
    }
    Ok(())
}
