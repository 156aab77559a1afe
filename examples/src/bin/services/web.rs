//! The web front, which passes visitors' requests to the shop.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use azmon::instrument::Identity;
use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::TraceContextExt;
use reqwest_middleware::ClientWithMiddleware;

use crate::service::{self, Failure};
use crate::shop::Order;

#[derive(Debug)]
struct Front {
    client: ClientWithMiddleware,
    shop: String,
}

pub(crate) fn routes(shop: String) -> Router {
    let client = service::client();
    Router::new()
        .route("/", get(home))
        .route("/products/{id}", get(product))
        .route("/products/{id}/photo", get(photo))
        .route("/checkout", post(checkout))
        .layer(from_fn(identified))
        .route("/healthz", get(async || StatusCode::NO_CONTENT))
        .with_state(Arc::new(Front { client, shop }))
}

/// The request, its calls and its logs belong to the visitor and the session of its cookies.
async fn identified(request: Request, next: Next) -> Response {
    let Some(identity) = identity(request.headers()) else {
        return next.run(request).await;
    };
    let context = Context::current_with_value(identity.clone());
    context.span().set_attributes(identity.attributes());
    next.run(request).with_context(context).await
}

fn identity(headers: &HeaderMap) -> Option<Identity> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let cookie = |name| {
        let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        Some(value.to_owned())
    };
    Some(
        Identity::new()
            .user_id(cookie("visitor")?)
            .session_id(cookie("session")?),
    )
}

impl Front {
    /// Passes the shop's response on: client errors unchanged, failures as 502.
    async fn passed_on(
        &self,
        request: reqwest_middleware::RequestBuilder,
    ) -> Result<(StatusCode, String), Failure> {
        let answer = request.send().await?;
        let status = StatusCode::from_u16(answer.status().as_u16())?;
        let text = answer.text().await?;
        if status.is_server_error() {
            return Err(Failure::new(
                StatusCode::BAD_GATEWAY,
                format!("the shop answered {status}"),
            ));
        }
        Ok((status, text))
    }
}

async fn home(State(front): State<Arc<Front>>) -> Result<(StatusCode, String), Failure> {
    let url = format!("{}/products", front.shop);
    front.passed_on(front.client.get(url)).await
}

async fn product(
    State(front): State<Arc<Front>>,
    Path(id): Path<i64>,
) -> Result<(StatusCode, String), Failure> {
    let url = format!("{}/products/{id}", front.shop);
    front.passed_on(front.client.get(url)).await
}

async fn photo(
    State(front): State<Arc<Front>>,
    Path(id): Path<i64>,
) -> Result<(StatusCode, String), Failure> {
    let url = format!("{}/products/{id}/photo", front.shop);
    front.passed_on(front.client.get(url)).await
}

async fn checkout(
    State(front): State<Arc<Front>>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, String), Failure> {
    let url = format!("{}/orders", front.shop);
    front.passed_on(front.client.post(url).json(&order)).await
}
