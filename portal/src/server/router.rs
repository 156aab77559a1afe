use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn_with_state, map_request, map_response};

use crate::server::{AllowedHosts, ApiError, headers, host, path};
use crate::store::Store;
use crate::{api, ingestion, pages};

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) store: Arc<Store>,
    /// What is to be pasted into an application to connect it.
    pub(crate) connection_string: Arc<str>,
    /// Tells this run of the portal from others, in entity tags.
    pub(crate) run: u128,
}

/// Everything that the portal answers.
pub(crate) fn router(context: Context, hosts: AllowedHosts) -> Router {
    let readable = Router::new()
        .merge(pages::routes())
        .merge(api::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(context.clone())
        .layer(from_fn_with_state(hosts, host::check))
        .layer(map_response(headers::protect));
    let routes = readable
        .merge(ingestion::routes(context.store))
        .fallback(not_found);
    // A layer around the routes themselves would run only after one was chosen.
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
