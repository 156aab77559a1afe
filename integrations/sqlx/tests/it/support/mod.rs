//! The common fixtures: telemetry and databases.

pub(crate) mod databases;
mod telemetry;

pub(crate) use self::telemetry::Telemetry;

use std::time::Duration;

/// Waits until `is_so`, for changes in a task of sqlx or in a server.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !is_so().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not in time: {what}"
        );
        tokio::task::yield_now().await;
    }
}
