use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::store::AppendError;

/// A rejected request, with a message for its sender and one for the log.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    error_code: &'static str,
    external_message: String,
    internal_message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error_code: &'a str,
    message: &'a str,
}

impl ApiError {
    /// 400: the request is invalid.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::of_client(StatusCode::BAD_REQUEST, "BadRequest", message.into())
    }

    /// 403: the origin or host of the request is not allowed.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::of_client(StatusCode::FORBIDDEN, "Forbidden", message.into())
    }

    /// 404: the path does not exist.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::of_client(StatusCode::NOT_FOUND, "NotFound", message.into())
    }

    /// 405: the path does not support this method.
    pub(crate) fn method_not_allowed(message: impl Into<String>) -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::of_client(status, "MethodNotAllowed", message.into())
    }

    /// 401: the request needs a token.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::of_client(StatusCode::UNAUTHORIZED, "Unauthorized", message.into())
    }

    /// 413: the body is too large.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::of_client(
            StatusCode::PAYLOAD_TOO_LARGE,
            "PayloadTooLarge",
            message.into(),
        )
    }

    /// 503: the request may succeed later.
    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::of_client(StatusCode::SERVICE_UNAVAILABLE, "Busy", message.into())
    }

    /// 500: the portal failed. The cause is only logged.
    pub(crate) fn internal(internal_message: String) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error_code: "Internal",
            external_message: "the portal failed; its log says why".to_owned(),
            internal_message,
        }
    }

    fn of_client(status: StatusCode, error_code: &'static str, message: String) -> Self {
        Self {
            status,
            error_code,
            internal_message: message.clone(),
            external_message: message,
        }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        Self::busy(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, reason) = (self.status.as_u16(), &self.internal_message);
        if self.status.is_server_error() {
            tracing::error!(status, reason, "failed");
        } else {
            tracing::debug!(status, reason, "refused");
        }
        let body = Body {
            error_code: self.error_code,
            message: &self.external_message,
        };
        (self.status, Json(body)).into_response()
    }
}
