//! JSON for tests and tools. This is a contract: fields are added, never changed.
//!
//! # `GET /api/items`
//! The newest items, the one that arrived last first: `{"items": [..]}`. All parameters are optional.
//!
//! | Parameter | Meaning | Default |
//! |---|---|---|
//! | `kind` | only items of this kind: `request`, `dependency`, `exception`, `trace`, `customEvent`, `customMetric`, `availabilityResult`, `pageView`, `browserTiming` | all |
//! | `operation` | only items of the operation with this id | all |
//! | `limit` | the most items, up to 10,000 | 100 |
//!
//! | Field | Meaning |
//! |---|---|
//! | `id` | number of the item, by arrival |
//! | `itemType` | its kind, as above |
//! | `timestamp` | when it happened, RFC 3339 in UTC |
//! | `received` | when the portal received it |
//! | `name` | name, message or type: what the item is about |
//! | `operationId`, `operationName`, `operationParentId` | the tags `ai.operation.*`, or null |
//! | `durationMs` | duration in milliseconds, or null |
//! | `resultCode` | response code or result code, or null |
//! | `success` | whether it succeeded, or null for what cannot fail |
//! | `roleName`, `roleInstance` | the tags `ai.cloud.*`, or null |
//! | `envelope` | the item as it was sent |
//!
//! # `GET /api/health`
//! `{"status": "ok", "version": .., "received": .., "refused": .., "dropped": .., "items": .., "bytes": ..}`; the
//! numbers are those of [`Statistics`](crate::Statistics).
//!
//! # Errors
//! `{"errorCode": "BadRequest", "message": ".."}` with a status of 4xx or 5xx.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::SystemTime;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use azmon_envelope::tags;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::server::{ApiError, Context};
use crate::store::{Item, ItemKind, Query};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 10_000;

pub(crate) fn routes() -> Router<Context> {
    Router::new()
        .route("/api/items", get(items))
        .route("/api/health", get(health))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    kind: Option<String>,
    operation: Option<String>,
    limit: Option<usize>,
}

impl Parameters {
    fn into_query(self) -> Result<Query, ApiError> {
        let kind = self.kind.as_deref().map(ItemKind::from_str).transpose();
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if limit > MAX_LIMIT {
            return Err(ApiError::bad_request(format!(
                "limit {limit} is more than {MAX_LIMIT}"
            )));
        }
        Ok(Query {
            kind: kind.map_err(|error| ApiError::bad_request(error.to_string()))?,
            operation: self.operation,
            limit,
        })
    }
}

/// Borrows from items, so it is written while they are held.
#[derive(Serialize)]
struct Items<'a> {
    items: Vec<ItemView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemView<'a> {
    id: u64,
    item_type: &'static str,
    timestamp: Option<Timestamp>,
    received: Option<Timestamp>,
    name: Cow<'a, str>,
    operation_id: Option<&'a str>,
    operation_name: Option<&'a str>,
    operation_parent_id: Option<&'a str>,
    duration_ms: Option<f64>,
    result_code: Option<&'a str>,
    success: Option<bool>,
    role_name: Option<&'a str>,
    role_instance: Option<&'a str>,
    envelope: &'a RawValue,
}

impl<'a> ItemView<'a> {
    fn new(item: &'a Item) -> Self {
        let timestamp = |time: SystemTime| Timestamp::try_from(time).ok();
        Self {
            id: item.id(),
            item_type: item.kind().as_str(),
            timestamp: timestamp(item.envelope().time),
            received: timestamp(item.received()),
            name: item.name(),
            operation_id: item.operation_id(),
            operation_name: item.operation_name(),
            operation_parent_id: item.tag(tags::OPERATION_PARENT_ID),
            duration_ms: item
                .duration()
                .map(|duration| duration.as_secs_f64() * 1_000.0),
            result_code: item.result_code(),
            success: item.success(),
            role_name: item.tag(tags::CLOUD_ROLE),
            role_instance: item.tag(tags::CLOUD_ROLE_INSTANCE),
            envelope: item.raw_json(),
        }
    }
}

async fn items(
    State(context): State<Context>,
    parameters: Result<UrlQuery<Parameters>, QueryRejection>,
) -> Result<Response, ApiError> {
    let UrlQuery(parameters) =
        parameters.map_err(|rejection| ApiError::bad_request(rejection.body_text()))?;
    let items = context.store.newest(&parameters.into_query()?);
    let items = items.iter().map(|item| ItemView::new(item)).collect();
    Ok(Json(Items { items }).into_response())
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    received: u64,
    refused: u64,
    dropped: u64,
    items: usize,
    bytes: usize,
}

async fn health(State(context): State<Context>) -> Json<Health> {
    let statistics = context.store.statistics();
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        received: statistics.received,
        refused: statistics.refused,
        dropped: statistics.dropped,
        items: statistics.items,
        bytes: statistics.bytes,
    })
}
