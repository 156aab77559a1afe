//! The shop: products, and orders with several lines.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use azmon_sqlx::SqlitePool;
use reqwest_middleware::ClientWithMiddleware;
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::database;
use crate::service::{self, Failure};
use crate::stock::Reservation;

/// The duration of loading a photo.
const DISK: Duration = Duration::from_millis(300);
const TABLES: &[&str] = &[
    "CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price BIGINT NOT NULL)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, article TEXT NOT NULL, total BIGINT NOT NULL)",
    "INSERT INTO product (name, price) VALUES ('tea', 450), ('coffee', 900), ('silk', 8000), ('gold', 99000), \
     ('glass', 1200), ('milk', 120), ('sugar', 90), ('salt', 60), ('rice', 210)",
];

#[derive(Debug)]
struct Shop {
    pool: SqlitePool,
    cache: Cache,
    client: ClientWithMiddleware,
    stock: String,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Product {
    id: i64,
    name: String,
    price: i64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) article: String,
    /// The number of lines in the order.
    pub(crate) lines: i64,
}

/// The scale for gold does not respond.
#[derive(Debug)]
struct ScalesFailed;

impl fmt::Display for ScalesFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scales for gold do not answer")
    }
}

impl Error for ScalesFailed {}

pub(crate) async fn routes(stock: String) -> Result<Router, Box<dyn Error>> {
    let shop = Shop {
        pool: database::open(TABLES).await?,
        cache: Cache::default(),
        client: service::client(),
        stock,
    };
    Ok(Router::new()
        .route("/products", get(products))
        .route("/products/{id}", get(product))
        .route("/products/{id}/photo", get(photo))
        .route("/orders", post(place))
        .with_state(Arc::new(shop)))
}

async fn products(State(shop): State<Arc<Shop>>) -> Result<Json<Vec<Product>>, Failure> {
    let products = sqlx::query_as("SELECT id, name, price FROM product ORDER BY id")
        .fetch_all(&shop.pool)
        .await?;
    Ok(Json(products))
}

async fn product(State(shop): State<Arc<Shop>>, Path(id): Path<i64>) -> Result<String, Failure> {
    let key = format!("product:{id}");
    if let Some(known) = shop.cache.get(&key).await {
        return Ok(known);
    }
    let found: Option<Product> =
        sqlx::query_as("SELECT id, name, price FROM product WHERE id = $1")
            .bind(id)
            .fetch_optional(&shop.pool)
            .await?;
    let Some(found) = found else {
        return Err(Failure::new(
            StatusCode::NOT_FOUND,
            format!("no product {id}"),
        ));
    };
    let text = serde_json::to_string(&found)?;
    shop.cache.set(&key, text.clone()).await;
    Ok(text)
}

/// Photos come from a slow disk.
async fn photo(Path(id): Path<i64>) -> String {
    tokio::time::sleep(DISK).await;
    format!("a photo of product {id}\n")
}

async fn place(
    State(shop): State<Arc<Shop>>,
    Json(order): Json<Order>,
) -> Result<StatusCode, Failure> {
    // One query per line, where one query for all lines would do: the portal folds and counts them.
    let mut total = 0;
    for line in 1..=order.lines.clamp(1, 30) {
        let price: Option<i64> = sqlx::query_scalar("SELECT price FROM product WHERE id = $1")
            .bind(line % 9 + 1)
            .fetch_optional(&shop.pool)
            .await?;
        total += price.unwrap_or_default();
    }
    tracing::info!(order.article, order.lines, total, "an order was priced");
    if order.article == "gold" {
        return Err(Failure::from(ScalesFailed));
    }
    let reservation = Reservation {
        sku: order.article.clone(),
        pieces: 1,
    };
    let url = format!("{}/reservations", shop.stock);
    let answer = shop.client.post(url).json(&reservation).send().await?;
    if answer.status() == reqwest::StatusCode::CONFLICT {
        let text = answer.text().await?;
        return Err(Failure::new(StatusCode::CONFLICT, text));
    }
    answer.error_for_status()?.bytes().await?;
    sqlx::query("INSERT INTO orders (article, total) VALUES ($1, $2)")
        .bind(&order.article)
        .bind(total)
        .execute(&shop.pool)
        .await?;
    Ok(StatusCode::CREATED)
}
