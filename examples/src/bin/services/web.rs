//! The web front, which passes visitors' requests to the shop.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
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
        .route("/healthz", get(async || StatusCode::NO_CONTENT))
        .with_state(Arc::new(Front { client, shop }))
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
