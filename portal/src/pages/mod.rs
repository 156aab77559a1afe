//! The pages: HTML made on the server, readable without scripts. Every text is escaped by the templates.
//!
//! | Path | Page |
//! |---|---|
//! | `/` | the newest items; `?kind=` as in the API |
//! | `/items/{id}` | everything about one item |
//! | `/operations/{id}` | all items of an operation, as they happened |
//! | `/assets/…` | style, script and icon |
//!
//! With scripts, the first and the last fetch themselves again every two seconds, and replace what changed without
//! moving what is being read. An entity tag makes that cost nothing while nothing arrives.

mod assets;
mod format;
mod item;
mod items;
mod json;
mod layout;
mod operation;
mod row;
mod timeline;

use axum::Router;
use axum::routing::get;

use crate::server::Context;

/// The most items that one page shows.
const MAX_ROWS: usize = 200;

pub(crate) fn routes() -> Router<Context> {
    Router::new()
        .route("/", get(items::page))
        .route("/items/{id}", get(item::page))
        .route("/operations/{id}", get(operation::page))
        .route("/assets/portal.css", get(assets::style))
        .route("/assets/portal.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
}
