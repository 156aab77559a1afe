//! The JSON API for pages, tests and tools, under `/api`. Its contract is the file `openapi.json` of this crate.
//!
//! - Counts are sums of `itemCount`, times are RFC 3339 in UTC, durations are milliseconds.
//! - An unknown parameter is rejected with 400, so that a misspelt filter does not return everything.
//! - Pages are served from rollups. Only searches, transactions and comparisons read items; the response contains
//!   their number (`scope.readItems`) and whether it is complete (`scope.isComplete`).
//! - `?wait=5s` waits until the requested data arrives.
//!
//! # Errors
//! `{"errorCode": "BadRequest", "message": ".."}` with a status of 4xx or 5xx.

mod advice;
mod answer;
mod ask;
mod breakdown;
mod category;
mod checks;
mod context;
mod difference;
mod doctor;
mod exchange;
mod facets;
mod failures;
mod gather;
mod items;
mod live;
mod live_metrics;
mod manage;
mod map;
mod metrics;
mod needs_a_look;
mod numbers;
mod otlp_json;
mod overview;
mod parameters;
mod performance;
mod problems;
mod resources;
mod runs;
mod symptoms;
mod time;
mod transactions;
mod users;
mod view;

use axum::Router;
use axum::routing::{delete, get, post, put};

pub(crate) use self::context::{Context, EndpointView, OtlpReader};
pub(crate) use self::exchange::read_file;
pub(crate) use self::items::searched;

pub(crate) fn routes() -> Router<Context> {
    Router::new()
        .route("/api/health", get(manage::health))
        .route("/api/stats", get(manage::stats))
        .route("/api/connect", get(manage::connect))
        .route("/api/apps", get(manage::apps))
        .route("/api/overview", get(overview::overview))
        .route("/api/items", get(items::list))
        .route("/api/items/{id}", get(items::one))
        .route("/api/items/{id}/rank", get(items::rank))
        .route("/api/facets", get(facets::facets))
        .route("/api/fields", get(facets::fields))
        .route("/api/transactions", get(transactions::list))
        .route("/api/transactions/{operationId}", get(transactions::one))
        .route("/api/users", get(users::list))
        .route("/api/map", get(map::map))
        .route("/api/map/node", get(map::node))
        .route("/api/map/edge", get(map::edge))
        .route("/api/operations", get(performance::operations))
        .route("/api/dependencies", get(performance::dependencies))
        .route("/api/roles", get(performance::roles))
        .route("/api/calls", get(performance::calls))
        .route("/api/difference", get(difference::difference))
        .route("/api/breakdown", get(breakdown::breakdown))
        .route("/api/failures", get(failures::failures))
        .route("/api/problems", get(problems::list))
        .route("/api/problems/{id}", get(problems::one))
        .route("/api/runs", get(runs::list).post(runs::begin))
        .route("/api/compare", get(runs::compare))
        .route("/api/metrics", get(metrics::list))
        .route("/api/metrics/series", get(metrics::series))
        .route("/api/doctor", get(doctor::doctor))
        .route("/api/checks", get(checks::checks))
        .route("/api/events", get(live::events))
        .route("/api/tail", get(live::tail))
        .route("/api/live", get(live_metrics::live))
        .route("/api/live/servers", get(live_metrics::servers))
        .route(
            "/api/live/configuration",
            get(live_metrics::configuration).put(live_metrics::configure),
        )
        .route("/api/saved/{kind}", get(manage::saved))
        .route(
            "/api/saved/{kind}/{name}",
            put(manage::save).delete(manage::unsave),
        )
        .route("/api/data", delete(manage::delete))
        .route("/api/export", get(exchange::export))
        .merge(
            Router::new()
                .route("/api/import", post(exchange::import))
                .layer(exchange::body_limit()),
        )
}
