//! The paths of the query API, as Application Insights and Log Analytics have them, and of the portal's query editor.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::rest::{of_id, of_resource, to_id, to_resource};
use super::{batch, editor, metadata};
use crate::api::Context;

/// The maximum size of a request body in bytes; a query itself may have 128 KiB.
const MAX_BODY: usize = 1_024 * 1_024;

/// The routes, including those for editors.
pub(crate) fn routes() -> Router<Context> {
    Router::new()
        .route("/v1/apps/{id}/query", get(of_id).post(to_id))
        .route("/v1/workspaces/{id}/query", get(of_id).post(to_id))
        .route(
            "/v1/subscriptions/{*path}",
            get(of_resource).post(to_resource),
        )
        .route(
            "/v1/apps/{id}/metadata",
            get(metadata::of_app).post(metadata::of_app),
        )
        .route(
            "/v1/workspaces/{id}/metadata",
            get(metadata::of_workspace).post(metadata::of_workspace),
        )
        .route("/v1/$batch", post(batch::answer))
        .route("/v1/%24batch", post(batch::answer))
        .merge(editor::routes())
        .layer(DefaultBodyLimit::max(MAX_BODY))
}
