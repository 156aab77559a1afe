//! The metrics of queries and of the pool.

use std::sync::Arc;
use std::time::Duration;

use azmon_sqlx::Pool;

use super::{Db, Fixture, PoolOptions, database};
use crate::support::{Telemetry, eventually};

impl Fixture {
    async fn two_connections() -> Self {
        Self::build(PoolOptions::new().max_connections(2), |options| options).await
    }

    fn connections(&self, state: &str) -> i64 {
        let attributes = [
            (
                "db.client.connection.pool.name",
                self.telemetry.pool_name.as_str(),
            ),
            ("db.client.connection.state", state),
        ];
        self.telemetry
            .sum("db.client.connection.count", &attributes)
    }

    fn pool_sum(&self, metric: &str) -> i64 {
        self.telemetry.sum(
            &format!("db.client.connection.{metric}"),
            &[(
                "db.client.connection.pool.name",
                self.telemetry.pool_name.as_str(),
            )],
        )
    }

    async fn all_back(&self) {
        eventually("all connections are idle", async || {
            self.pool.num_idle() == self.pool.size() as usize
        })
        .await;
    }
}

#[tokio::test]
async fn the_duration_of_a_query_is_told_by_its_summary() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        sqlx::query("SELECT name FROM users WHERE name = 'x'")
            .execute(&fixture.pool)
            .await
            .unwrap();
    }
    let points = fixture
        .telemetry
        .points("db.client.operation.duration", &[]);
    let [(attributes, 3)] = points.as_slice() else {
        panic!("{points:?}");
    };
    let attribute = |key: &str| {
        attributes
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(
        attribute("db.system.name").as_deref(),
        Some(database::SYSTEM)
    );
    assert_eq!(
        attribute("db.query.summary").as_deref(),
        Some("SELECT users")
    );
    assert_eq!(attribute("db.operation.name").as_deref(), Some("SELECT"));
    assert_eq!(attribute("db.collection.name").as_deref(), Some("users"));
    assert_eq!(attribute("db.query.text"), None);
    database::assert_target(&fixture.connect_options, attribute);
}

#[tokio::test]
async fn connections_are_counted_however_they_are_taken() {
    let fixture = Fixture::two_connections().await;
    fixture.all_back().await;
    assert_eq!(
        (
            fixture.connections("used"),
            fixture.connections("idle"),
            fixture.pool_sum("max")
        ),
        (0, 1, 2)
    );
    let acquired = fixture.pool.acquire().await.unwrap();
    assert_eq!(
        (fixture.connections("used"), fixture.connections("idle")),
        (1, 0)
    );
    let begun = fixture.pool.begin().await.unwrap();
    assert_eq!(
        (fixture.connections("used"), fixture.connections("idle")),
        (2, 0)
    );
    drop(begun);
    let rows = sqlx::query("SELECT 1")
        .fetch_all(&fixture.pool)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    drop(acquired);
    fixture.all_back().await;
    assert_eq!(
        (fixture.connections("used"), fixture.connections("idle")),
        (0, 2)
    );
    assert_eq!(fixture.pool_sum("wait_time"), 3);
    assert_eq!(fixture.pool_sum("use_time"), 3);
    assert_eq!(fixture.pool_sum("create_time"), 2);
    assert_eq!(fixture.pool_sum("pending_requests"), 0);
    assert_eq!(fixture.pool_sum("timeouts"), 0);
}

#[tokio::test]
async fn a_request_that_times_out_is_counted_and_told() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let pool = PoolOptions::new()
        .max_connections(1)
        .acquire_timeout(TIMEOUT);
    let fixture = Fixture::build(pool, |options| options).await;
    let held = fixture.pool.acquire().await.unwrap();
    fixture.telemetry.take();
    let (acquired, begun, executed) = tokio::join!(
        fixture.pool.acquire(),
        fixture.pool.begin(),
        sqlx::query("SELECT 1").execute(&fixture.pool),
    );
    for failed in [acquired.map(drop), begun.map(drop), executed.map(drop)] {
        assert!(matches!(failed, Err(sqlx::Error::PoolTimedOut)));
    }
    assert_eq!(fixture.pool_sum("timeouts"), 3);
    let spans = fixture.telemetry.take();
    assert_eq!(spans.len(), 3);
    for span in spans {
        assert_eq!(span.name(), "acquire connection");
        assert!(!span.is_client());
        span.assert_failed("PoolTimedOut");
        assert_eq!(
            span.text("db.client.connection.pool.name").as_deref(),
            Some(fixture.telemetry.pool_name.as_str())
        );
        let lasted = span.0.end_time.duration_since(span.0.start_time).unwrap();
        assert!(lasted >= TIMEOUT, "{lasted:?}");
    }
    assert_eq!(fixture.pool_sum("pending_requests"), 0);
    assert_eq!(fixture.connections("used"), 1);
    drop(held);
}

#[tokio::test]
async fn requests_that_are_dropped_are_pending_no_more() {
    let fixture = Fixture::two_connections().await;
    let held = (
        fixture.pool.acquire().await.unwrap(),
        fixture.pool.acquire().await.unwrap(),
    );
    fixture.telemetry.take();
    let mut acquire = Box::pin(fixture.pool.acquire());
    let mut begin = Box::pin(fixture.pool.begin());
    let mut query = Box::pin(sqlx::query("SELECT 1").execute(&fixture.pool));
    assert_eq!(fixture.pool_sum("pending_requests"), 0);
    assert!(futures_util::poll!(&mut acquire).is_pending());
    assert!(futures_util::poll!(&mut begin).is_pending());
    assert!(futures_util::poll!(&mut query).is_pending());
    assert_eq!(fixture.pool_sum("pending_requests"), 3);
    drop(acquire);
    drop(query);
    assert_eq!(fixture.pool_sum("pending_requests"), 1);
    drop(begin);
    assert_eq!(fixture.pool_sum("pending_requests"), 0);
    assert_eq!(
        (fixture.pool_sum("timeouts"), fixture.telemetry.take().len()),
        (0, 0)
    );
    drop(held);
    fixture.all_back().await;
    assert_eq!(
        (fixture.connections("used"), fixture.connections("idle")),
        (0, 2)
    );
}

#[tokio::test]
async fn a_wait_as_long_as_the_threshold_is_a_span_beside_that_of_the_query() {
    let fixture = Fixture::with(|options| options.acquire_span_threshold(Duration::ZERO)).await;
    fixture.telemetry.take();
    sqlx::query("SELECT 1")
        .execute(&fixture.pool)
        .await
        .unwrap();
    let names = fixture.telemetry.take_names();
    assert_eq!(names, ["acquire connection", "SELECT"]);
}

#[tokio::test]
async fn queries_that_are_dropped_leave_the_counts_right() {
    let fixture = Fixture::two_connections().await;
    for _ in 0..5 {
        let slow = sqlx::query(database::SLOW).execute(&fixture.pool);
        let _ = tokio::time::timeout(Duration::from_millis(20), slow).await;
    }
    assert_eq!(fixture.pool_sum("pending_requests"), 0);
    // They did not complete, and are marked as dropped.
    let dropped = fixture
        .telemetry
        .sum("db.client.operation.duration", &[("azmon.dropped", "true")]);
    assert_eq!(
        dropped,
        fixture.telemetry.sum("db.client.operation.duration", &[])
    );
    assert!(dropped > 0);
    fixture.pool.close().await;
    assert_eq!(
        (fixture.connections("used"), fixture.connections("idle")),
        (0, 0)
    );
}

#[tokio::test]
async fn a_pool_that_is_gone_is_told_of_no_more() {
    let fixture = Fixture::two_connections().await;
    let Fixture {
        telemetry, pool, ..
    } = fixture;
    assert_eq!(telemetry.points("db.client.connection.max", &[]).len(), 1);
    drop(pool);
    assert_eq!(telemetry.points("db.client.connection.max", &[]).len(), 0);
}

#[tokio::test]
async fn a_pool_that_is_wrapped_twice_is_counted_once() {
    let telemetry = Telemetry::new();
    let raw = sqlx::Pool::<Db>::connect_with(database::new_database().await)
        .await
        .unwrap();
    let options = telemetry.options();
    let pools = (
        Pool::new(raw.clone(), options.clone()),
        Pool::new(raw, options),
    );
    let held = pools.1.acquire().await.unwrap();
    let used = [("db.client.connection.state", "used")];
    assert_eq!(telemetry.sum("db.client.connection.count", &used), 1);
    assert_eq!(telemetry.sum("db.client.connection.max", &[]), 10);
    drop(held);
}

#[tokio::test]
async fn pools_of_two_options_for_one_provider_are_summed() {
    let telemetry = Telemetry::new();
    let options = database::new_database().await;
    let pool = |max| {
        PoolOptions::new()
            .max_connections(max)
            .trace(telemetry.options())
            .connect_lazy_with(options.clone())
    };
    let pools = (pool(3), pool(4));
    assert_eq!(telemetry.sum("db.client.connection.max", &[]), 7);
    let held = (
        pools.0.acquire().await.unwrap(),
        pools.1.acquire().await.unwrap(),
    );
    let used = [("db.client.connection.state", "used")];
    assert_eq!(telemetry.sum("db.client.connection.count", &used), 2);
    drop(held);
}

#[tokio::test]
async fn connections_that_are_being_opened_are_not_in_use() {
    let telemetry = Telemetry::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let closed = Arc::clone(&gate);
    let pool = PoolOptions::new()
        .max_connections(5)
        .after_connect(move |_, _| {
            let gate = Arc::clone(&closed);
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                Ok(())
            })
        })
        .trace(telemetry.options())
        .connect_lazy_with(database::new_database().await);
    let fixture = Fixture {
        connect_options: (*pool.connect_options()).clone(),
        telemetry,
        pool,
    };
    let acquires: Vec<_> = (0..5)
        .map(|_| tokio::spawn(fixture.pool.acquire()))
        .collect();
    eventually("five are being opened", async || fixture.pool.size() == 5).await;
    assert_eq!(
        (
            fixture.connections("used"),
            fixture.pool_sum("pending_requests")
        ),
        (0, 5)
    );
    gate.add_permits(5);
    let mut held = Vec::new();
    for acquire in acquires {
        held.push(acquire.await.unwrap().unwrap());
    }
    assert_eq!(
        (
            fixture.connections("used"),
            fixture.pool_sum("pending_requests")
        ),
        (5, 0)
    );
    assert_eq!(fixture.pool_sum("create_time"), 5);
}

#[tokio::test]
async fn every_connection_that_is_opened_at_first_has_its_time() {
    let least = PoolOptions::new().max_connections(5).min_connections(3);
    let fixture = Fixture::build(least, |options| options).await;
    assert_eq!(fixture.pool_sum("create_time"), 3);
    let fixture = Fixture::new().await;
    assert_eq!(fixture.pool_sum("create_time"), 1);
}

#[tokio::test]
async fn a_wait_that_is_dropped_is_a_span_that_says_so() {
    let fixture = Fixture::with(|options| options.acquire_span_threshold(Duration::ZERO)).await;
    let held = fixture.pool.acquire().await.unwrap();
    fixture.telemetry.take();
    let mut acquire = Box::pin(fixture.pool.acquire());
    assert!(futures_util::poll!(&mut acquire).is_pending());
    drop(acquire);
    let span = fixture.telemetry.take_one();
    assert_eq!(
        (span.name(), span.was_dropped()),
        ("acquire connection", true)
    );
    span.assert_ok();
    drop(held);
}

#[tokio::test]
async fn preparing_and_describing_are_no_executions() {
    use sqlx::{Executor, SqlSafeStr};
    let fixture = Fixture::new().await;
    let sql = "SELECT name FROM users";
    fixture.pool.prepare(sql.into_sql_str()).await.unwrap();
    fixture.pool.describe(sql.into_sql_str()).await.unwrap();
    let of = |operation| {
        fixture.telemetry.sum(
            "db.client.operation.duration",
            &[("db.operation.name", operation)],
        )
    };
    assert_eq!((of("SELECT"), of("PREPARE"), of("DESCRIBE")), (0, 1, 1));
}
