//! `/v1/apps/{id}/metadata` and `/v1/workspaces/{id}/metadata`: the tables and their columns.

use axum::Json;
use axum::extract::{Path, State};
use azmon_kql::Catalog;
use serde_json::{Value, json};

use super::catalog::Tables;
use super::columns::TABLES;
use crate::api::Context;

/// The tables under their names in Application Insights.
pub(super) async fn of_app(State(context): State<Context>, Path(id): Path<String>) -> Json<Value> {
    let tables = tables(&context, |table| table.name, "timestamp");
    let application = json!({"id": id, "resourceId": "", "name": id, "region": "local"});
    Json(json!({"tables": tables, "functions": [], "applications": [application]}))
}

/// The tables under their names in a workspace.
pub(super) async fn of_workspace(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Json<Value> {
    let tables = tables(&context, |table| table.workspace, "TimeGenerated");
    let workspace = json!({"id": id, "resourceId": "", "name": id, "region": "local"});
    Json(json!({"tables": tables, "functions": [], "workspaces": [workspace]}))
}

fn tables(
    context: &Context,
    name: impl Fn(&super::columns::Definition) -> &'static str,
    time: &str,
) -> Vec<Value> {
    let catalog = Tables::of(&context.store, "");
    let described = TABLES.iter().filter_map(|definition| {
        let name = name(definition);
        let table = catalog.table(name)?;
        let columns: Vec<Value> = table
            .schema()
            .iter()
            .map(|field| json!({"name": &*field.name, "type": field.ty.name()}))
            .collect();
        Some(json!({"id": name, "name": name, "timespanColumn": time, "columns": columns}))
    });
    described.collect()
}
