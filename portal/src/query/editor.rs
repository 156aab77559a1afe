//! The endpoints for editors: the schema, the keywords of the language, the errors of a text, and the query of a search.

use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use azmon_kql::{Catalog, Options, check, words};
use serde::Deserialize;
use serde_json::{Value, json};

use super::catalog::Tables;
use super::columns::TABLES;
use super::search;
use crate::api::{Context, searched};
use crate::server::ApiError;

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/api/query/schema", get(schema))
        .route("/api/query/check", post(check_text))
        .route("/api/query/search", get(of_search))
}

/// `{tables: [{name, alias, columns: [{name, alias, type}]}], words: [{text, kind, signature}]}`; an alias is the name in a
/// workspace.
async fn schema(State(context): State<Context>) -> Json<Value> {
    let catalog = Tables::of(&context.store, "");
    let tables = TABLES.iter().filter_map(|definition| {
        let table = catalog.table(definition.name)?;
        let (aliases, _) = definition.columns(true);
        let columns: Vec<Value> = table
            .schema()
            .iter()
            .zip(&aliases)
            .map(|(field, alias)| json!({"name": &*field.name, "alias": &*alias.name, "type": field.ty.name()}))
            .collect();
        Some(json!({"name": definition.name, "alias": definition.workspace, "columns": columns}))
    });
    let tables: Vec<Value> = tables.collect();
    let words: Vec<Value> = words()
        .iter()
        .map(|word| json!({"text": word.text, "kind": format!("{:?}", word.kind).to_lowercase(), "signature": word.signature}))
        .collect();
    Json(json!({"tables": tables, "words": words}))
}

/// `{query}`: the query of a search.
async fn of_search(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let filter = context
        .store
        .read(move |reader| searched(reader, query.as_deref()))
        .await?;
    Ok(Json(json!({"query": search::query_of(&filter)})))
}

#[derive(Debug, Deserialize)]
struct Text {
    query: String,
}

/// `{error: null | {message, suggestion, code, line, column, offset, length}, columns: [{name, type}]}`.
async fn check_text(State(context): State<Context>, body: String) -> Result<Json<Value>, ApiError> {
    let text: Text = serde_json::from_str(&body)
        .map_err(|error| ApiError::bad_request(format!("the body is not a query: {error}")))?;
    let checked = check(
        &text.query,
        &Tables::of(&context.store, ""),
        &Options::new(),
    );
    let error = checked.error.map(|error| {
        let place = error.place().cloned();
        json!({
            "message": error.message(),
            "suggestion": error.suggestion(),
            "code": error.code(),
            "line": place.as_ref().map(|place| place.line),
            "column": place.as_ref().map(|place| place.column),
            "offset": place.as_ref().map(|place| place.offset),
            "length": place.as_ref().map(|place| place.length),
        })
    });
    let columns: Vec<Value> = checked
        .columns
        .iter()
        .map(|column| json!({"name": &*column.name, "type": column.ty.name()}))
        .collect();
    Ok(Json(json!({"error": error, "columns": columns})))
}
