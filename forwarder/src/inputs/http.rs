//! Bodies of HTTP requests, with limits on their received size, their decompressed size and their time.

use std::io::Read;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};

use crate::inputs::budget::Held;
use crate::inputs::{Limits, Listener};
use crate::sink::Refusal;

/// Serves a router until `shutdown` completes, and then until the running requests have been answered.
///
/// # Errors
///
/// If the server itself fails. Errors of a connection end only that connection.
pub async fn serve_http(
    listener: Listener,
    router: axum::Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}

/// The reason why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the content encoding {0:?} is not supported; send gzip or deflate")]
    Encoding(String),
    #[error("the body cannot be decompressed: {0}")]
    Compressed(String),
    #[error("the body did not arrive: {0}")]
    Broken(String),
    #[error("the body did not arrive in time")]
    Late,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl BodyError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Compressed(_) | Self::Broken(_) => StatusCode::BAD_REQUEST,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::Refused(refusal) => refusal_status(refusal),
        }
    }
}

pub(crate) fn refusal_status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Adds `Retry-After` in whole seconds, at least 1.
pub(crate) fn with_retry_after(refusal: &Refusal, response: impl IntoResponse) -> Response {
    let seconds = refusal.retry_after().as_secs_f64().ceil().max(1.0);
    let mut response = response.into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, (seconds as u64).into());
    response
}

/// Reads and decompresses a whole body. Its bytes count in the budget while it is held.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
    held: &Held,
) -> Result<Bytes, BodyError> {
    let collected = collect(body, limits.message_bytes, held);
    let collected = tokio::time::timeout(limits.body_timeout, collected);
    let bytes = collected.await.unwrap_or(Err(BodyError::Late))?;
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let encodings: Vec<_> = encodings
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity")
        .collect();
    let decompressed = match encodings.as_slice() {
        [] => return Ok(bytes),
        [name] if name == "gzip" || name == "x-gzip" => {
            inflate(MultiGzDecoder::new(&*bytes), limits.message_bytes)?
        }
        [name] if name == "deflate" => inflate(ZlibDecoder::new(&*bytes), limits.message_bytes)?,
        names => return Err(BodyError::Encoding(names.join(", "))),
    };
    held.take(decompressed.len())?;
    Ok(decompressed.into())
}

async fn collect(body: Body, limit: usize, held: &Held) -> Result<Bytes, BodyError> {
    let mut chunks = body.into_data_stream();
    let mut collected = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| BodyError::Broken(error.to_string()))?;
        if collected.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        held.take(chunk.len())?;
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.freeze())
}

fn inflate(compressed: impl Read, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    let mut bounded = compressed.take(limit as u64 + 1);
    bounded
        .read_to_end(&mut bytes)
        .map_err(|error| BodyError::Compressed(error.to_string()))?;
    if bytes.len() > limit {
        return Err(BodyError::TooLarge(limit));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::inputs::Budget;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn read_as(encoding: &'static str, body: Vec<u8>) -> Result<Bytes, BodyError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
        let limits = Limits::default().with_message_bytes(1 << 20);
        let budget = Budget::new(4 << 20);
        read(&headers, Body::from(body), &limits, &budget.hold()).await
    }

    #[tokio::test]
    async fn several_gzip_members_are_one_body() {
        let body = [gzip(b"one "), gzip(b"body")].concat();
        assert_eq!(read_as("gzip", body).await.unwrap(), "one body");
    }

    #[tokio::test]
    async fn a_bomb_costs_no_more_than_the_limit() {
        let bomb = gzip(&vec![0; 8 << 20]);
        assert!(bomb.len() < 1 << 20);
        let refused = read_as("gzip", bomb).await;
        assert_eq!(refused, Err(BodyError::TooLarge(1 << 20)));
    }

    #[tokio::test]
    async fn a_body_that_is_not_gzip_is_an_error_of_the_client() {
        let refused = read_as("gzip", b"plain".to_vec()).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        let refused = read_as("br", b"plain".to_vec()).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn a_body_beyond_the_budget_is_to_be_sent_again_later() {
        let budget = Budget::new(10);
        let limits = Limits::default();
        let headers = HeaderMap::new();
        let body = Body::from("0123456789a");
        let refused = read(&headers, body, &limits, &budget.hold()).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(budget.taken(), 0);
    }
}
