//! OTLP over HTTP: protobuf or JSON, answered in the encoding of the request.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::Code;

use crate::inputs::budget::Held;
use crate::inputs::http::{BodyError, read, refusal_status, with_retry_after};
use crate::inputs::otlp::grpc::{logs_answer, metrics_answer, traces_answer};
use crate::inputs::otlp::read::Read;
use crate::inputs::otlp::shared::Shared;
use crate::inputs::status::RpcStatus;
use crate::sink::{Acceptance, Refusal};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/logs", post(logs))
        .route("/v1/metrics", post(metrics))
        .with_state(shared)
}

async fn traces(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response {
    export(&shared, &headers, body, super::traces::read, traces_answer).await
}

async fn logs(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response {
    export(&shared, &headers, body, super::logs::read, logs_answer).await
}

async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response {
    export(
        &shared,
        &headers,
        body,
        super::metrics::read,
        metrics_answer,
    )
    .await
}

/// The encoding of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Json,
    Protobuf,
}

impl Encoding {
    /// The encoding of the content type; protobuf without a content type.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return Some(Self::Protobuf);
        };
        let media_type = value.to_str().ok()?.split(';').next()?.trim();
        if media_type.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else if media_type.eq_ignore_ascii_case("application/x-protobuf") {
            Some(Self::Protobuf)
        } else {
            None
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/x-protobuf",
        })
    }

    fn decode<T: Message + Default + DeserializeOwned>(self, body: &Bytes) -> Result<T, String> {
        match self {
            Self::Json => serde_json::from_slice(body).map_err(|error| error.to_string()),
            Self::Protobuf => T::decode(&**body).map_err(|error| error.to_string()),
        }
    }

    fn encode<T: Message + Serialize>(self, answer: &T) -> Vec<u8> {
        match self {
            Self::Json => without_nulls(answer).to_string().into_bytes(),
            Self::Protobuf => answer.encode_to_vec(),
        }
    }

    fn respond(self, status: StatusCode, body: Vec<u8>) -> Response {
        (status, [(header::CONTENT_TYPE, self.content_type())], body).into_response()
    }

    /// An error as `google.rpc.Status`, as OTLP requires.
    fn error(self, status: StatusCode, code: Code, message: String) -> Response {
        let body = match self {
            Self::Json => serde_json::json!({"code": code as i32, "message": message})
                .to_string()
                .into(),
            Self::Protobuf => RpcStatus {
                code: code as i32,
                message,
                details: Vec::new(),
            }
            .encode_to_vec(),
        };
        self.respond(status, body)
    }

    fn refused(self, refusal: &Refusal) -> Response {
        let code = match refusal {
            Refusal::Busy { .. } => Code::ResourceExhausted,
            Refusal::Unavailable { .. } => Code::Unavailable,
        };
        let response = self.error(refusal_status(refusal), code, refusal.to_string());
        with_retry_after(refusal, response)
    }
}

/// A response as JSON without null fields, which clients accept better.
fn without_nulls(answer: &impl Serialize) -> serde_json::Value {
    let mut json = serde_json::to_value(answer).unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    json
}

async fn export<T, A>(
    shared: &Shared,
    headers: &HeaderMap,
    body: Body,
    to_read: impl FnOnce(&Shared, T, Option<&Held>) -> Result<Read, Refusal>,
    answer: impl FnOnce(Acceptance) -> A,
) -> Response
where
    T: Message + Default + DeserializeOwned,
    A: Message + Serialize,
{
    let Some(encoding) = Encoding::of(headers) else {
        shared.statistics.batch_failed();
        let message = "the content type is neither application/x-protobuf nor application/json";
        return Encoding::Protobuf.error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::InvalidArgument,
            message.to_owned(),
        );
    };
    let held = shared.budget.hold();
    let request = match read(headers, body, &shared.limits, &held).await {
        Ok(body) => encoding.decode(&body),
        Err(error) => {
            shared.statistics.batch_failed();
            return match error {
                BodyError::Refused(refusal) => encoding.refused(&refusal),
                error => encoding.error(error.status(), Code::InvalidArgument, error.to_string()),
            };
        }
    };
    let request = match request {
        Ok(request) => request,
        Err(message) => {
            shared.statistics.batch_failed();
            return encoding.error(StatusCode::BAD_REQUEST, Code::InvalidArgument, message);
        }
    };
    match shared.deliver(to_read(shared, request, Some(&held))).await {
        Ok(accepted) => encoding.respond(StatusCode::OK, encoding.encode(&answer(accepted))),
        Err(refusal) => encoding.refused(&refusal),
    }
}
