//! The answers to `/v1/apps/{id}/query`, `/v1/workspaces/{id}/query` and `/v1/{resourceId}/query`, each with GET and POST.
//!
//! An instrumentation key selects one application; any other name selects all data.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use azmon_kql::{CancelToken, Limits, Options};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Preferences, bad_request, refusal, success};
use super::catalog::Tables;
use super::timespan;
use crate::api::Context;

/// The maximum of `Prefer: wait`, in seconds.
const MAX_WAIT: u64 = 600;

/// The parameters of a query request.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Question {
    query: Option<String>,
    timespan: Option<String>,
}

pub(super) async fn of_id(
    State(context): State<Context>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(&context, &id, from_parameters(query.as_deref()), &headers).await
}

pub(super) async fn to_id(
    State(context): State<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    answer(&context, &id, from_body(&headers, &body), &headers).await
}

pub(super) async fn of_resource(
    State(context): State<Context>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match resource(&path) {
        Some(id) => answer(&context, id, from_parameters(query.as_deref()), &headers).await,
        None => not_found(),
    }
}

pub(super) async fn to_resource(
    State(context): State<Context>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    match resource(&path) {
        Some(id) => answer(&context, id, from_body(&headers, &body), &headers).await,
        None => not_found(),
    }
}

/// The last segment of a resource path that ends in `/query`.
fn resource(path: &str) -> Option<&str> {
    path.strip_suffix("/query")?.rsplit('/').next()
}

/// The refusal of a path that is none.
pub(super) fn no_path() -> (StatusCode, Value) {
    let body = serde_json::json!({"error": {"message": "The requested path does not exist", "code": "PathNotFoundError"}});
    (StatusCode::NOT_FOUND, body)
}

fn not_found() -> Response {
    let (status, body) = no_path();
    (status, Json(body)).into_response()
}

fn from_parameters(query: Option<&str>) -> Result<Question, (StatusCode, Value)> {
    let mut question = Question::default();
    for pair in query.unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.replace('+', " ");
        let value = percent_encoding::percent_decode_str(&value)
            .decode_utf8_lossy()
            .into_owned();
        match name {
            "query" => question.query = Some(value),
            "timespan" => question.timespan = Some(value),
            _ => {}
        }
    }
    Ok(question)
}

/// Rejects a body without the content type of JSON.
pub(super) fn has_json(headers: &HeaderMap) -> Result<(), (StatusCode, Value)> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if !kind.contains("json") {
        return Err(bad_request(
            "InvalidJsonBody",
            "the body needs the content type application/json",
        ));
    }
    Ok(())
}

fn from_body(headers: &HeaderMap, body: &str) -> Result<Question, (StatusCode, Value)> {
    has_json(headers)?;
    serde_json::from_str(body).map_err(|error| {
        bad_request(
            "InvalidJsonBody",
            &format!("the body is not a query: {error}"),
        )
    })
}

/// Cancels the query when the client disconnects, which drops this value.
struct CancelOnDrop(CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn answer(
    context: &Context,
    id: &str,
    question: Result<Question, (StatusCode, Value)>,
    headers: &HeaderMap,
) -> Response {
    let (status, body) = match question {
        Ok(question) => ask(context, id, question, headers).await,
        Err(refused) => refused,
    };
    let request_id = format!("{:032x}", fastrand::u128(..));
    let ids = [
        (
            HeaderName::from_static("x-ms-request-id"),
            request_id.clone(),
        ),
        (
            HeaderName::from_static("x-ms-correlation-request-id"),
            request_id,
        ),
    ];
    (status, ids, Json(body)).into_response()
}

/// Runs a query, and returns the response.
pub(super) async fn ask(
    context: &Context,
    id: &str,
    question: Question,
    headers: &HeaderMap,
) -> (StatusCode, Value) {
    let Some(query) = question.query.filter(|query| !query.trim().is_empty()) else {
        return bad_request("QueryValidationError", "a query is needed");
    };
    let (preferences, wait) = preferences(headers);
    let mut options = Options::new();
    if let Some(wait) = wait {
        options = options.with_limits(Limits::default().with_time(wait));
    }
    if let Some(text) = question.timespan.filter(|text| !text.is_empty()) {
        match timespan::parse(&text, options.now) {
            Some((from, to)) => options = options.with_timespan(from, to),
            None => {
                return bad_request(
                    "QueryValidationError",
                    &format!("'{text}' is not a timespan"),
                );
            }
        }
    }
    let guard = CancelOnDrop(CancelToken::new());
    options = options.with_cancel(guard.0.clone());
    let (store, id) = (context.store.clone(), id.to_owned());
    let ran = tokio::task::spawn_blocking(move || {
        let tables = Tables::of(&store, &id);
        match azmon_kql::run(&query, &tables, &options) {
            Ok(answer) => (StatusCode::OK, success(&answer, preferences)),
            Err(error) => refusal(&error),
        }
    });
    ran.await.unwrap_or_else(|_| {
        let body = serde_json::json!({"error": {"message": "The query failed", "code": "InternalServerError"}});
        (StatusCode::INTERNAL_SERVER_ERROR, body)
    })
}

/// `Prefer: wait=30, include-statistics=true, include-render=true`.
fn preferences(headers: &HeaderMap) -> (Preferences, Option<Duration>) {
    let mut preferences = Preferences::default();
    let mut wait = None;
    let values = headers
        .get_all("prefer")
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    for part in values.flat_map(|value| value.split([',', ';'])) {
        match part.trim().split_once('=') {
            Some(("include-statistics", "true")) => preferences.statistics = true,
            Some(("include-render", "true")) => preferences.render = true,
            Some(("wait", seconds)) => {
                wait = seconds
                    .parse()
                    .ok()
                    .map(|seconds: u64| Duration::from_secs(seconds.clamp(1, MAX_WAIT)));
            }
            _ => {}
        }
    }
    (preferences, wait)
}
