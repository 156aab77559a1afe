use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What the service says about a body: its JSON, and the status that belongs to it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    #[serde(skip)]
    status: StatusCode,
    items_received: usize,
    items_accepted: usize,
    errors: Vec<ItemError>,
}

/// Why one item was refused. For a body that could not be read at all, `index` is 0.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemError {
    pub(super) index: usize,
    pub(super) status_code: u16,
    pub(super) message: String,
    /// The SDK that the item names; not told to clients.
    #[serde(skip)]
    pub(super) client: Option<String>,
}

impl Answer {
    /// 200 when every item was accepted, 400 when none was, 206 between.
    pub(super) fn to_items(received: usize, errors: Vec<ItemError>) -> Self {
        let accepted = received - errors.len();
        let status = match (accepted, errors.is_empty()) {
            (_, true) => StatusCode::OK,
            (0, false) => StatusCode::BAD_REQUEST,
            (_, false) => StatusCode::PARTIAL_CONTENT,
        };
        Self {
            status,
            items_received: received,
            items_accepted: accepted,
            errors,
        }
    }

    /// The answer to a body in which no item can be found.
    pub(super) fn to_unreadable(status: StatusCode, message: String) -> Self {
        let error = ItemError {
            index: 0,
            status_code: status.as_u16(),
            message,
            client: None,
        };
        Self {
            status,
            items_received: 0,
            items_accepted: 0,
            errors: vec![error],
        }
    }

    /// The answer when no item could be kept for now.
    pub(super) fn to_nothing(status: StatusCode, received: usize, message: String) -> Self {
        Self {
            items_received: received,
            ..Self::to_unreadable(status, message)
        }
    }

    pub(super) fn errors(&self) -> &[ItemError] {
        &self.errors
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}
