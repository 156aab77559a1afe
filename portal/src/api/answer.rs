//! Answers API requests in JSON, and waits for data that has not arrived yet.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::Instant;

use crate::api::Context;
use crate::server::ApiError;
use crate::store::Reader;

/// The pause between two checks of a waiting request. Arrivals within it are handled together.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers from one consistent state of the data.
pub(super) async fn answer<T, F>(context: &Context, question: F) -> Result<Response, ApiError>
where
    T: Serialize + Send + 'static,
    F: FnOnce(&Context, &Reader) -> Result<T, ApiError> + Send + 'static,
{
    let own = context.clone();
    let answer = context
        .store
        .read(move |reader| question(&own, reader))
        .await?;
    Ok(Json(answer).into_response())
}

/// Answers when the response is complete, or when the time is over.
///
/// # Cancel safety
/// Dropping the future leaves no state behind.
pub(super) async fn waited<T, F>(
    context: &Context,
    wait: Option<Duration>,
    is_enough: impl Fn(&T) -> bool + Send,
    question: F,
) -> Result<Response, ApiError>
where
    T: Serialize + Send + 'static,
    F: Fn(&Context, &Reader) -> Result<T, ApiError> + Send + Clone + 'static,
{
    let deadline = Instant::now() + wait.unwrap_or_default();
    let mut arrivals = context.store.arrivals();
    loop {
        // Marked as seen before the check, so that an arrival during the check causes another one.
        arrivals.borrow_and_update();
        let (own, question) = (context.clone(), question.clone());
        let answer = context
            .store
            .read(move |reader| question(&own, reader))
            .await?;
        if is_enough(&answer) || Instant::now() >= deadline {
            return Ok(Json(answer).into_response());
        }
        // The next check decides in either case.
        let _ = tokio::time::timeout_at(deadline, arrivals.changed()).await;
        tokio::time::sleep_until(deadline.min(Instant::now() + PAUSE)).await;
    }
}
