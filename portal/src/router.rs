//! The routes of the portal, with their guards.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn_with_state, map_request, map_response};

use crate::api::Context;
use crate::server::{AllowedHosts, ApiError, Token, headers, host, path, token};
use crate::{api, ingestion, live, pages, query};

/// The routes of the portal, with their guards.
pub(crate) fn router(context: Context, hosts: AllowedHosts, needed: Option<Token>) -> Router {
    let store = Arc::clone(&context.store);
    let hub = Arc::clone(store.live());
    let readable = Router::new()
        .merge(pages::routes())
        .merge(api::routes())
        .merge(query::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(context)
        .layer(from_fn_with_state(needed, token::check))
        .layer(from_fn_with_state(hosts, host::check))
        .layer(map_response(headers::protect));
    let writable = ingestion::routes(store).merge(live::routes(hub));
    let routes = readable.merge(writable).fallback(not_found);
    // A layer around the routes themselves would run only after a route was selected.
    Router::new()
        .fallback_service(routes)
        .layer(map_request(path::collapse_slashes))
}

async fn not_found(method: Method, uri: Uri) -> ApiError {
    ApiError::not_found(format!(
        "there is no {method} {path}; telemetry goes to POST /v2.1/track, pages are at /, and GET /api/items gives JSON",
        path = uri.path()
    ))
}

async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    ApiError::method_not_allowed(format!("{method} is not for {}", uri.path()))
}
