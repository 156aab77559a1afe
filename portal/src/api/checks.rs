//! `/api/checks`: where availability tests and alert rules stand.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::Value;

use crate::api::Context;
use crate::api::parameters::Parameters;
use crate::server::ApiError;

pub(super) async fn checks(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    Parameters::parse(query.as_deref(), &[])?;
    Ok(Json((context.checks)()))
}
