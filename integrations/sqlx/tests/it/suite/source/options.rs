//! The options of tracing.

use azmon_sqlx::QueryText;
use opentelemetry::Context;
use opentelemetry::trace::FutureExt;

use sqlx::AssertSqlSafe;

use super::{Fixture, database};

const WITH_LITERAL: &str = "SELECT name FROM users WHERE name = 'secret' -- why";

#[tokio::test]
async fn the_text_is_sanitised_full_or_off() {
    for (mode, text) in [
        (None, Some("SELECT name FROM users WHERE name = ?")),
        (Some(QueryText::Full), Some(WITH_LITERAL)),
        (Some(QueryText::Off), None),
    ] {
        let fixture = Fixture::with(|options| match mode {
            Some(mode) => options.query_text(mode),
            None => options,
        })
        .await;
        sqlx::query(WITH_LITERAL)
            .fetch_all(&fixture.pool)
            .await
            .unwrap();
        let span = fixture.telemetry.take_one();
        assert_eq!(span.text("db.query.text").as_deref(), text);
        assert_eq!(span.name(), "SELECT users");
    }
}

#[tokio::test]
async fn the_text_is_kept_when_arguments_are_bound() {
    let fixture = Fixture::with(|o| o.query_text(QueryText::SanitisedUnlessBound)).await;
    let bound = database::INSERT.replace("INSERT", "INSERT /* 1 */");
    sqlx::query(AssertSqlSafe(bound.as_str()))
        .bind("secret")
        .execute(&fixture.pool)
        .await
        .unwrap();
    let span = fixture.telemetry.take_one();
    assert_eq!(span.text("db.query.text").as_deref(), Some(bound.as_str()));
    sqlx::query(WITH_LITERAL)
        .fetch_all(&fixture.pool)
        .await
        .unwrap();
    let span = fixture.telemetry.take_one();
    let sanitised = "SELECT name FROM users WHERE name = ?";
    assert_eq!(span.text("db.query.text").as_deref(), Some(sanitised));
    // The database's error message quotes the argument.
    sqlx::query(AssertSqlSafe(bound.as_str()))
        .bind("secret")
        .execute(&fixture.pool)
        .await
        .unwrap_err();
    let span = fixture.telemetry.take_one();
    assert_eq!(span.error(), Some("unique constraint violated"));
}

#[tokio::test]
async fn queries_without_a_parent_can_be_left_out_of_traces() {
    let fixture = Fixture::with(|options| options.only_with_parent()).await;
    sqlx::query("SELECT 1")
        .execute(&fixture.pool)
        .await
        .unwrap();
    drop(fixture.pool.begin().await.unwrap());
    assert_eq!(fixture.telemetry.take().len(), 0);
    assert_eq!(
        fixture.telemetry.sum(
            "db.client.operation.duration",
            &[("db.query.summary", "SELECT")]
        ),
        1
    );
    let parent = fixture.telemetry.parent();
    sqlx::query("SELECT 1")
        .execute(&fixture.pool)
        .with_context(parent.clone())
        .await
        .unwrap();
    assert_eq!(fixture.telemetry.take_one().name(), "SELECT");
}

#[tokio::test]
async fn excluded_queries_have_neither_span_nor_metric() {
    let fixture = Fixture::with(|options| {
        options.exclude(|statement| statement.collection() == Some("users"))
    })
    .await;
    for _ in 0..2 {
        sqlx::query("SELECT * FROM users")
            .execute(&fixture.pool)
            .await
            .unwrap();
    }
    sqlx::query("SELECT 1")
        .execute(&fixture.pool)
        .await
        .unwrap();
    assert_eq!(fixture.telemetry.take_names(), ["SELECT"]);
    assert_eq!(
        fixture.telemetry.sum("db.client.operation.duration", &[]),
        1
    );
}

#[tokio::test]
async fn suppressed_telemetry_is_none() {
    let fixture = Fixture::new().await;
    let waits = fixture.telemetry.sum("db.client.connection.wait_time", &[]);
    let suppressed = Context::new().with_telemetry_suppressed();
    async {
        sqlx::query("SELECT 1")
            .execute(&fixture.pool)
            .await
            .unwrap();
        let mut tx = fixture.pool.begin().await.unwrap();
        sqlx::query("SELECT nothing")
            .execute(&mut *tx)
            .await
            .unwrap_err();
        drop(tx);
    }
    .with_context(suppressed)
    .await;
    assert_eq!(fixture.telemetry.take().len(), 0);
    for metric in [
        "db.client.operation.duration",
        "db.client.connection.use_time",
    ] {
        assert_eq!(fixture.telemetry.sum(metric, &[]), 0, "{metric}");
    }
    assert_eq!(
        fixture.telemetry.sum("db.client.connection.wait_time", &[]),
        waits
    );
}
