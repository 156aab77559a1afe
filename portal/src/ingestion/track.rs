use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_ENCODING, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::ingestion::answer::{Answer, ItemError};
use crate::ingestion::decode::{DecodeError, decode};
use crate::ingestion::judge::judge;
use crate::ingestion::split::{SplitError, split};
use crate::ingestion::{MAX_BODY, MAX_DECODED};
use crate::store::{AppendError, NewItem, Store};

/// The routes that receive telemetry. Pages of any origin may send to them, as the browser SDK requires.
pub(crate) fn routes(store: Arc<Store>) -> Router {
    let intake = Arc::new(Intake::new(store));
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
        .with_state(intake)
}

async fn track(
    State(intake): State<Arc<Intake>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (answer, retry_after) = match body {
        Ok(body) => intake.receive(&headers, body).await,
        Err(rejection) => (unread(&rejection), None),
    };
    let client = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    intake.tell(&answer, client);
    let mut response = answer.into_response();
    if let Some(after) = retry_after {
        let seconds = after.as_secs().max(1);
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The state that all telemetry requests share.
#[derive(Debug)]
pub(crate) struct Intake {
    store: Arc<Store>,
    /// Limits the bodies that are decompressed and parsed at the same time: each may take several times its size
    /// in memory.
    readers: Semaphore,
}

const MAX_READERS: usize = 3;
/// The maximum time that a body waits before its client must retry.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The retry delay after the portal failed to write.
const RETRY_FAILED: Duration = Duration::from_secs(10);

impl Intake {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            readers: Semaphore::new(MAX_READERS),
        }
    }

    async fn receive(&self, headers: &HeaderMap, body: Bytes) -> (Answer, Option<Duration>) {
        let Ok(Ok(_permit)) = tokio::time::timeout(MAX_WAIT, self.readers.acquire()).await else {
            self.store
                .counters()
                .throttled
                .fetch_add(1, Ordering::Relaxed);
            return refused_for_now(0, &AppendError::Busy(RETRY_FAILED));
        };
        let encoding = headers
            .get(CONTENT_ENCODING)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        // Decompressing and parsing a large body takes long enough to delay other connections.
        let read = tokio::task::spawn_blocking(move || read(body, encoding.as_deref())).await;
        let read = match read {
            Ok(Ok(read)) => read,
            Ok(Err(Unreadable { status, message })) => {
                return (Answer::to_unreadable(status, message), None);
            }
            Err(error) => {
                tracing::error!(%error, "ingestion failed");
                let message = "the portal could not read the body; its log says why".to_owned();
                return (
                    Answer::to_unreadable(StatusCode::INTERNAL_SERVER_ERROR, message),
                    None,
                );
            }
        };
        let errors = read.errors.into_iter().map(|refused| ItemError {
            index: refused.index,
            status_code: StatusCode::BAD_REQUEST.as_u16(),
            message: refused.message,
            client: refused.client,
        });
        match self.store.append(read.items).await {
            Ok(()) => (Answer::to_items(read.received, errors.collect()), None),
            Err(error) => refused_for_now(read.received, &error),
        }
    }

    /// Counts the rejected items for the pages.
    fn tell(&self, answer: &Answer, client: Option<&str>) {
        for error in answer.errors() {
            let client = error.client.as_deref().or(client);
            self.store.refuse(&error.message, client, 1);
        }
        if let [first, ..] = answer.errors() {
            let (count, index, reason) = (answer.errors().len(), first.index, &first.message);
            tracing::warn!(
                count,
                index,
                reason,
                "items were refused; this is the first"
            );
        }
    }
}

/// 429 if the writer's queue is full, 503 if the writer failed: clients keep their telemetry for both.
fn refused_for_now(received: usize, error: &AppendError) -> (Answer, Option<Duration>) {
    let (status, after) = match error {
        AppendError::Busy(after) => (StatusCode::TOO_MANY_REQUESTS, *after),
        AppendError::DiskFull | AppendError::Damaged | AppendError::Failed(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, RETRY_FAILED)
        }
    };
    (
        Answer::to_nothing(status, received, error.to_string()),
        Some(after),
    )
}

fn unread(rejection: &BytesRejection) -> Answer {
    let message = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => format!("body is larger than {MAX_BODY} bytes"),
        _ => rejection.body_text(),
    };
    Answer::to_unreadable(rejection.status(), message)
}

/// Why no item of a body can be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    status: StatusCode,
    message: String,
}

/// Decompresses and reads a body.
pub(crate) fn read(body: Bytes, encoding: Option<&str>) -> Result<Read, Unreadable> {
    let body = decode(body, encoding, MAX_DECODED).map_err(|error| Unreadable {
        status: status_of_decode(&error),
        message: error.to_string(),
    })?;
    read_body(&body).map_err(|error| Unreadable {
        status: status_of_split(&error),
        message: error.to_string(),
    })
}

impl From<Unreadable> for String {
    fn from(unreadable: Unreadable) -> Self {
        unreadable.message
    }
}

/// The items of a body, and the errors of the others.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) received: usize,
    pub(crate) items: Vec<NewItem>,
    pub(crate) errors: Vec<Refused>,
}

/// An item that was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) index: usize,
    pub(crate) message: String,
    /// The SDK that it names.
    pub(crate) client: Option<String>,
}

/// Parses a decompressed body: a JSON array, one object, or one value per line.
pub(crate) fn read_body(body: &[u8]) -> Result<Read, SplitError> {
    let pieces = split(body)?;
    let received = pieces.len();
    let mut items = Vec::with_capacity(received);
    let mut errors = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let (verdict, client) = match piece {
            Ok(piece) => (judge(piece), Some(piece)),
            Err(error) => (Err(format!("Item is not JSON: {error}")), None),
        };
        match verdict {
            Ok(item) => items.push(item),
            Err(message) => errors.push(Refused {
                index,
                message,
                client: client.and_then(sdk_of),
            }),
        }
    }
    Ok(Read {
        received,
        items,
        errors,
    })
}

/// The SDK that an item names, though the rest of it may be wrong.
fn sdk_of(item: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Tagged<'a> {
        #[serde(borrow)]
        tags: Tags<'a>,
    }
    #[derive(Deserialize)]
    struct Tags<'a> {
        #[serde(borrow, rename = "ai.internal.sdkVersion")]
        sdk: Cow<'a, str>,
    }

    let tagged: Tagged<'_> = serde_json::from_str(item.get()).ok()?;
    Some(tagged.tags.sdk.into_owned()).filter(|sdk| !sdk.is_empty())
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
