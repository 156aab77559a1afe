//! `POST /v1/$batch`: several queries in one request, as older clients send them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::bad_request;
use super::rest::{Question, ask, has_json, no_path};
use crate::api::Context;

/// The maximum number of queries in one batch.
const MAX_QUERIES: usize = 100;

#[derive(Debug, Deserialize)]
struct Batch {
    requests: Vec<Part>,
}

/// One query of a batch.
#[derive(Debug, Deserialize)]
struct Part {
    id: Value,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Question>,
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    workspace: String,
}

/// Runs the queries of a batch in their order. Each has its own status.
pub(super) async fn answer(
    State(context): State<Context>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let batch = match read(&headers, &body) {
        Ok(batch) => batch,
        Err((status, refusal)) => return (status, Json(refusal)).into_response(),
    };
    let mut responses = Vec::with_capacity(batch.requests.len());
    for part in batch.requests {
        let id = part.id.clone();
        let (status, body) = answer_part(&context, part).await;
        responses.push(json!({
            "id": id,
            "status": status.as_u16(),
            "headers": {"Content-Type": "application/json; charset=utf-8"},
            "body": body,
        }));
    }
    Json(json!({"responses": responses})).into_response()
}

fn read(headers: &HeaderMap, body: &str) -> Result<Batch, (StatusCode, Value)> {
    has_json(headers)?;
    let batch: Batch = serde_json::from_str(body).map_err(|error| {
        bad_request("InvalidJsonBody", &format!("the body is no batch: {error}"))
    })?;
    if batch.requests.len() > MAX_QUERIES {
        let message = format!("a batch has at most {MAX_QUERIES} requests");
        return Err(bad_request("QueryValidationError", &message));
    }
    Ok(batch)
}

async fn answer_part(context: &Context, part: Part) -> (StatusCode, Value) {
    if part.path != "/query" || !part.method.eq_ignore_ascii_case("POST") {
        return no_path();
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &part.headers {
        let name = HeaderName::try_from(name.as_str());
        let value = value.as_str().map(HeaderValue::try_from);
        if let (Ok(name), Some(Ok(value))) = (name, value) {
            headers.append(name, value);
        }
    }
    ask(
        context,
        &part.workspace,
        part.body.unwrap_or_default(),
        &headers,
    )
    .await
}
