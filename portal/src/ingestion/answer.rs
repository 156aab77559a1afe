use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The service's response to a body: its JSON and its status.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    #[serde(skip)]
    status: StatusCode,
    items_received: usize,
    items_accepted: usize,
    errors: Vec<ItemError>,
}

/// The error of one item. For an unreadable body, `index` is 0.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemError {
    pub(super) index: usize,
    pub(super) status_code: u16,
    pub(super) message: String,
    /// The SDK that the item names; not sent to clients.
    #[serde(skip)]
    pub(super) client: Option<String>,
}

impl Answer {
    /// 200 if every item was accepted, 400 if none was, otherwise 206.
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

    /// The response to a body without readable items.
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

    /// The response if no item could be stored for now.
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
