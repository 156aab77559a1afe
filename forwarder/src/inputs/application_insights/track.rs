//! `POST /v2.1/track`: one item, an array of items, or one item per line.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use azmon::envelope::Envelope;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::inputs::application_insights::shared::Shared;
use crate::inputs::http::{BodyError, read, refusal_status, with_retry_after};
use crate::sink::{ReceivedItem, Refusal};

/// The maximum number of items in a body, which is the service's limit.
const MOST_ITEMS: usize = 64_000;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(track).with_state(shared)
}

/// The service's response to a body.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    items_received: usize,
    items_accepted: usize,
    errors: Vec<ItemError>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemError {
    index: usize,
    status_code: u16,
    message: String,
}

impl Answer {
    /// The response to a body that is rejected as a whole.
    fn to_whole(status: StatusCode, message: String) -> Response {
        let answer = Self {
            items_received: 0,
            items_accepted: 0,
            errors: vec![ItemError {
                index: 0,
                status_code: status.as_u16(),
                message,
            }],
        };
        (status, Json(answer)).into_response()
    }

    fn refused(refusal: &Refusal) -> Response {
        let answer = Self::to_whole(refusal_status(refusal), refusal.to_string());
        with_retry_after(refusal, answer)
    }
}

/// Whether a path is one of the service's, with any number of slashes.
fn is_track(path: &str) -> bool {
    let segments: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    matches!(segments.as_slice(), ["v2" | "v2.1", "track"])
}

async fn track(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !is_track(uri.path()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let held = shared.budget.hold();
    let body = match read(&headers, body, &shared.limits, &held).await {
        Ok(body) => body,
        Err(error) => {
            shared.statistics.batch_failed();
            return match error {
                BodyError::Refused(refusal) => Answer::refused(&refusal),
                error => Answer::to_whole(error.status(), error.to_string()),
            };
        }
    };
    let pieces = match split(&body) {
        Ok(pieces) if pieces.len() <= MOST_ITEMS => pieces,
        Ok(_) => {
            shared.statistics.batch_failed();
            let message = format!("the body has more than {MOST_ITEMS} items");
            return Answer::to_whole(StatusCode::PAYLOAD_TOO_LARGE, message);
        }
        Err(message) => {
            shared.statistics.batch_failed();
            return Answer::to_whole(StatusCode::BAD_REQUEST, message);
        }
    };
    let received = pieces.len();
    let mut items = Vec::with_capacity(received);
    let mut errors = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let envelope = piece.and_then(|json| serde_json::from_str::<Envelope<'static>>(json.get()));
        match envelope {
            Ok(envelope) => items.push(ReceivedItem::from(envelope)),
            Err(error) => errors.push(ItemError {
                index,
                status_code: StatusCode::BAD_REQUEST.as_u16(),
                message: error.to_string(),
            }),
        }
    }
    match shared.deliver(items, errors.len() as u64).await {
        Ok(_) => answer(received, errors),
        Err(refusal) => Answer::refused(&refusal),
    }
}

fn answer(received: usize, errors: Vec<ItemError>) -> Response {
    let accepted = received - errors.len();
    let status = match (accepted, errors.is_empty()) {
        (_, true) => StatusCode::OK,
        (0, false) => StatusCode::BAD_REQUEST,
        (_, false) => StatusCode::PARTIAL_CONTENT,
    };
    let answer = Answer {
        items_received: received,
        items_accepted: accepted,
        errors,
    };
    (status, Json(answer)).into_response()
}

type Piece<'a> = Result<&'a RawValue, serde_json::Error>;

/// Splits a body into items. An invalid line affects only itself; an array is parsed as a whole.
fn split(body: &[u8]) -> Result<Vec<Piece<'_>>, String> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let body = body.trim_ascii();
    match body.first() {
        None => Err("the body is empty".to_owned()),
        Some(b'[') => {
            let items = serde_json::from_slice::<Vec<&RawValue>>(body);
            let items = items.map_err(|error| format!("the body is no JSON array: {error}"))?;
            Ok(items.into_iter().map(Ok).collect())
        }
        Some(_) => Ok(match serde_json::from_slice(body) {
            Ok(object) => vec![Ok(object)],
            Err(_) => body
                .split(|byte| *byte == b'\n')
                .map(<[u8]>::trim_ascii)
                .filter(|line| !line.is_empty())
                .map(serde_json::from_slice)
                .collect(),
        }),
    }
}
