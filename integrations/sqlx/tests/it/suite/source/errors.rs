//! Errors, and their classification.

use super::{Fixture, database};
use azmon_sqlx::QueryText;

#[tokio::test]
async fn a_violated_constraint_is_an_error_by_its_code_without_its_data() {
    let fixture = Fixture::new().await;
    fixture.add("secret-name").await;
    let failed = sqlx::query(database::INSERT)
        .bind("secret-name")
        .execute(&fixture.pool)
        .await;
    failed.unwrap_err();
    let span = fixture.telemetry.take_one();
    span.assert_failed(database::UNIQUE_VIOLATION);
    assert_eq!(
        span.text("db.response.status_code").as_deref(),
        Some(database::UNIQUE_VIOLATION)
    );
    assert_eq!(span.error(), Some("unique constraint violated"));
    assert!(!format!("{span:?}").contains("secret-name"));
    let failed = sqlx::query(database::INSERT)
        .bind(None::<String>)
        .execute(&fixture.pool)
        .await;
    failed.unwrap_err();
    fixture
        .telemetry
        .take_one()
        .assert_failed(database::NOT_NULL_VIOLATION);
}

#[tokio::test]
async fn the_words_of_the_database_are_told_with_the_full_text() {
    let fixture = Fixture::with(|options| options.query_text(QueryText::Full)).await;
    let failed = sqlx::query("SELECT * FROM nowhere")
        .execute(&fixture.pool)
        .await
        .unwrap_err();
    let span = fixture.telemetry.take_one();
    assert_eq!(span.error(), Some(failed.to_string().as_str()));
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_an_error_by_its_code() {
    let fixture = Fixture::new().await;
    sqlx::query("SELECT * FROM nowhere")
        .fetch_all(&fixture.pool)
        .await
        .unwrap_err();
    let span = fixture.telemetry.take_one();
    span.assert_failed(database::NO_SUCH_TABLE);
    assert_eq!(span.name(), "SELECT nowhere");
    let points = fixture.telemetry.points(
        "db.client.operation.duration",
        &[("error.type", database::NO_SUCH_TABLE)],
    );
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].1, 1);
}

#[tokio::test]
async fn finding_no_row_is_no_error() {
    let fixture = Fixture::new().await;
    let missing = sqlx::query("SELECT * FROM users WHERE name = 'x'")
        .fetch_one(&fixture.pool)
        .await;
    assert!(matches!(missing, Err(sqlx::Error::RowNotFound)));
    let span = fixture.telemetry.take_one();
    span.assert_ok();
    assert_eq!(span.number("db.response.returned_rows"), Some(0));
}

#[tokio::test]
async fn errors_without_a_code_go_by_their_name() {
    let fixture = Fixture::new().await;
    let mut conn = fixture.pool.acquire().await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    fixture.telemetry.take();
    let failed = tx.begin_with("BEGIN").await.map(drop);
    assert!(matches!(
        failed,
        Err(sqlx::Error::InvalidSavePointStatement)
    ));
    fixture
        .telemetry
        .take_one()
        .assert_failed("InvalidSavePointStatement");
}
