//! The stock: available articles, and their reservations.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use azmon_sqlx::SqlitePool;
use serde::{Deserialize, Serialize};

use crate::database;
use crate::service::Failure;

/// The waiting time of a reservation of silk.
const SILK: Duration = Duration::from_millis(300);
const TABLES: &[&str] = &[
    "CREATE TABLE stock (sku TEXT PRIMARY KEY, pieces BIGINT NOT NULL)",
    "CREATE TABLE reservation (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, pieces BIGINT NOT NULL)",
    "INSERT INTO stock (sku, pieces) VALUES ('tea', 1000000), ('coffee', 1000000), ('silk', 1000000), ('gold', 1000000), ('glass', 0)",
];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) sku: String,
    pub(crate) pieces: i64,
}

pub(crate) async fn routes() -> Result<Router, Box<dyn Error>> {
    let pool = database::open(TABLES).await?;
    Ok(Router::new()
        .route("/reservations", post(reserve))
        .route("/stock/{sku}", get(pieces))
        .with_state(Arc::new(pool)))
}

async fn reserve(
    State(pool): State<Arc<SqlitePool>>,
    Json(wanted): Json<Reservation>,
) -> Result<StatusCode, Failure> {
    let mut transaction = pool.begin().await?;
    let left: Option<i64> = sqlx::query_scalar("SELECT pieces FROM stock WHERE sku = $1")
        .bind(&wanted.sku)
        .fetch_optional(&mut *transaction)
        .await?;
    if wanted.sku == "silk" {
        tracing::warn!(sku = wanted.sku, "the shelf is high, this takes a while");
        tokio::time::sleep(SILK).await;
    }
    let left = left.unwrap_or_default();
    if left < wanted.pieces {
        let text = format!("{}: {left} left, {} wanted", wanted.sku, wanted.pieces);
        return Err(Failure::new(StatusCode::CONFLICT, text));
    }
    sqlx::query("INSERT INTO reservation (sku, pieces) VALUES ($1, $2)")
        .bind(&wanted.sku)
        .bind(wanted.pieces)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("UPDATE stock SET pieces = pieces - $1 WHERE sku = $2")
        .bind(wanted.pieces)
        .bind(&wanted.sku)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(StatusCode::CREATED)
}

async fn pieces(
    State(pool): State<Arc<SqlitePool>>,
    Path(sku): Path<String>,
) -> Result<Json<Reservation>, Failure> {
    let found: Option<i64> = sqlx::query_scalar("SELECT pieces FROM stock WHERE sku = $1")
        .bind(&sku)
        .fetch_optional(&*pool)
        .await?;
    match found {
        Some(pieces) => Ok(Json(Reservation { sku, pieces })),
        None => Err(Failure::new(
            StatusCode::NOT_FOUND,
            format!("no {sku} here"),
        )),
    }
}
