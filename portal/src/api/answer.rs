//! From a question to an answer in JSON, waiting for what is not there yet.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::Instant;

use crate::api::Context;
use crate::server::ApiError;
use crate::store::Reader;

/// Between two looks while a request waits: what arrives in between is seen together.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers from one state of the data.
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

/// Answers when the answer is enough, or when the time is over.
///
/// # Cancel safety
/// Nothing is left behind when the client goes.
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
        // Seen before the look, so that what arrives during it is looked for again.
        arrivals.borrow_and_update();
        let (own, question) = (context.clone(), question.clone());
        let answer = context
            .store
            .read(move |reader| question(&own, reader))
            .await?;
        if is_enough(&answer) || Instant::now() >= deadline {
            return Ok(Json(answer).into_response());
        }
        // Either way, the next look decides.
        let _ = tokio::time::timeout_at(deadline, arrivals.changed()).await;
        tokio::time::sleep_until(deadline.min(Instant::now() + PAUSE)).await;
    }
}
