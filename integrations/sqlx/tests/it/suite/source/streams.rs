//! Streams and futures that complete or are dropped.

use futures_util::{StreamExt, TryStreamExt};

use super::{Fixture, PoolOptions, database};
use crate::support::eventually;

#[tokio::test]
async fn a_stream_is_one_span_to_its_end() {
    let fixture = Fixture::new().await;
    let mut rows = sqlx::query(database::MANY_ROWS).fetch(&fixture.pool);
    for _ in 0..10 {
        rows.try_next().await.unwrap().unwrap();
    }
    assert_eq!(fixture.telemetry.take().len(), 0);
    while rows.try_next().await.unwrap().is_some() {}
    let span = fixture.telemetry.take_one();
    assert_eq!(span.number("db.response.returned_rows"), Some(100_000));
    assert!(!span.was_dropped());
    drop(rows);
    assert_eq!(fixture.telemetry.take().len(), 0);
}

#[tokio::test]
async fn a_stream_that_is_dropped_half_way_says_so_and_is_no_error() {
    let fixture = Fixture::new().await;
    let mut rows = sqlx::query(database::MANY_ROWS).fetch(&fixture.pool);
    rows.next().await.unwrap().unwrap();
    drop(rows);
    let span = fixture.telemetry.take_one();
    span.assert_ok();
    assert!(span.was_dropped());
    assert_eq!(span.number("db.response.returned_rows"), Some(1));
    // The pool's only connection is still usable.
    sqlx::query("SELECT 1")
        .execute(&fixture.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_never_polled_never_happened() {
    let fixture = Fixture::new().await;
    drop(sqlx::query("SELECT 1").fetch(&fixture.pool));
    let mut conn = fixture.pool.acquire().await.unwrap();
    drop(sqlx::query("SELECT 1").fetch(&mut *conn));
    drop(sqlx::query("SELECT 1").execute(&mut *conn));
    assert_eq!(fixture.telemetry.take().len(), 0);
}

#[tokio::test]
async fn a_future_that_is_dropped_says_so_and_gives_its_connection_back() {
    // An idle connection that is not tested is available at once.
    let pool = PoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false);
    let fixture = Fixture::build(pool, |options| options).await;
    eventually("the connection is idle", async || {
        fixture.pool.num_idle() == 1
    })
    .await;
    let mut slow = Box::pin(sqlx::query(database::SLOW).execute(&fixture.pool));
    assert!(futures_util::poll!(&mut slow).is_pending());
    drop(slow);
    let span = fixture.telemetry.take_one();
    assert!(span.was_dropped());
    span.assert_ok();
    assert_eq!(
        fixture.telemetry.sum("db.client.operation.duration", &[]),
        1
    );
}

#[tokio::test]
async fn an_error_after_some_rows_counts_them() {
    let fixture = Fixture::new().await;
    let mut rows = sqlx::query(database::FAILS_AT_THIRD_ROW).fetch(&fixture.pool);
    let mut read = 0;
    let error = loop {
        match rows.try_next().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("it must fail"),
            Err(error) => break error,
        }
    };
    assert!(error.as_database_error().is_some());
    let span = fixture.telemetry.take_one();
    span.assert_failed(database::FAILS_AT_THIRD_ROW_WITH);
    assert_eq!(span.number("db.response.returned_rows"), Some(read));
}
