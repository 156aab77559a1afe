use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::ingestion::answer::{Answer, ItemError};
use crate::ingestion::decode::{DecodeError, decode};
use crate::ingestion::judge::judge;
use crate::ingestion::split::{SplitError, split};
use crate::ingestion::{MAX_BODY, MAX_DECODED};
use crate::store::Store;

/// The endpoints of telemetry. Pages of any origin may send to them, as the SDK for browsers must.
pub(crate) fn routes(store: Arc<Store>) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .allow_private_network(true);
    Router::new()
        .route("/v2.1/track", post(track))
        .route("/v2/track", post(track))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(cors)
        .with_state(store)
}

async fn track(
    State(store): State<Arc<Store>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let answer = match body {
        Ok(body) => receive_apart(Arc::clone(&store), headers, body).await,
        Err(rejection) => unread(&rejection),
    };
    store.count_refused(answer.errors().len());
    if let [first, ..] = answer.errors() {
        let (count, index, reason) = (answer.errors().len(), first.index, &first.message);
        tracing::warn!(
            count,
            index,
            reason,
            "items were refused; this is the first"
        );
    }
    answer
}

/// Decompressing and parsing a large body takes long enough to hold up other connections.
async fn receive_apart(store: Arc<Store>, headers: HeaderMap, body: Bytes) -> Answer {
    let answer = tokio::task::spawn_blocking(move || receive(&store, &headers, body)).await;
    answer.unwrap_or_else(|error| {
        tracing::error!(%error, "ingestion failed");
        let message = "the portal could not read the body; its log says why".to_owned();
        Answer::to_unreadable(StatusCode::INTERNAL_SERVER_ERROR, message)
    })
}

fn unread(rejection: &BytesRejection) -> Answer {
    let message = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => format!("body is larger than {MAX_BODY} bytes"),
        _ => rejection.body_text(),
    };
    Answer::to_unreadable(rejection.status(), message)
}

fn receive(store: &Store, headers: &HeaderMap, body: Bytes) -> Answer {
    let encoding = headers
        .get(CONTENT_ENCODING)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let body = match decode(body, encoding.as_deref(), MAX_DECODED) {
        Ok(body) => body,
        Err(error) => return Answer::to_unreadable(status_of_decode(&error), error.to_string()),
    };
    let pieces = match split(&body) {
        Ok(pieces) => pieces,
        Err(error) => return Answer::to_unreadable(status_of_split(&error), error.to_string()),
    };
    let received = pieces.len();
    let mut accepted = Vec::with_capacity(received);
    let mut errors = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let verdict = piece
            .map_err(|error| format!("Item is not JSON: {error}"))
            .and_then(judge);
        match verdict {
            Ok(item) => accepted.push(item),
            Err(message) => errors.push(ItemError {
                index,
                status_code: StatusCode::BAD_REQUEST.as_u16(),
                message,
            }),
        }
    }
    store.append(accepted);
    Answer::to_items(received, errors)
}

fn status_of_decode(error: &DecodeError) -> StatusCode {
    match error {
        DecodeError::Corrupt(_) => StatusCode::BAD_REQUEST,
        DecodeError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        DecodeError::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
    }
}

fn status_of_split(error: &SplitError) -> StatusCode {
    match error {
        SplitError::Empty | SplitError::NotAnArray(_) => StatusCode::BAD_REQUEST,
        SplitError::TooManyItems => StatusCode::PAYLOAD_TOO_LARGE,
    }
}
