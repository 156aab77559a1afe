use askama::Template;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use crate::pages::format;
use crate::server::{ApiError, Context};
use crate::store::Statistics;

/// What every page has around its contents.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) title: String,
    pub(super) held: String,
    pub(super) dropped: Option<String>,
    pub(super) refused: Option<String>,
}

impl Layout {
    pub(super) fn new(title: impl Into<String>, statistics: &Statistics) -> Self {
        let unless_none = |number| (number > 0).then(|| format::count(number));
        Self {
            title: title.into(),
            held: format::counted(statistics.items, "item"),
            dropped: unless_none(statistics.dropped),
            refused: unless_none(statistics.refused),
        }
    }
}

/// Says that what was looked for is not there, or is no longer.
#[derive(Debug, Template)]
#[template(path = "missing.html")]
struct Missing {
    layout: Layout,
    heading: &'static str,
}

/// Answers with a page.
pub(super) fn show(page: &impl Template) -> Result<Response, ApiError> {
    let html = page
        .render()
        .map_err(|error| ApiError::internal(format!("cannot render a page: {error}")))?;
    Ok(Html(html).into_response())
}

/// Answers 404 with a page.
pub(super) fn show_missing(context: &Context, heading: &'static str) -> Result<Response, ApiError> {
    let layout = Layout::new(heading, &context.store.statistics());
    let page = show(&Missing { layout, heading })?;
    Ok((StatusCode::NOT_FOUND, page).into_response())
}

/// The entity tag of every page that is made from the store as it is now.
pub(super) fn tag(context: &Context, statistics: &Statistics) -> String {
    let Statistics {
        received, refused, ..
    } = statistics;
    format!("\"{:x}-{received}-{refused}\"", context.run)
}

/// Whether the browser has the page with this tag already.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes())
}

/// Says that the page that the browser has is the newest.
pub(super) fn unchanged(tag: String) -> Response {
    (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response()
}

/// Answers with a page that a browser may ask for again by its tag.
pub(super) fn show_tagged(page: &impl Template, tag: String) -> Result<Response, ApiError> {
    Ok(([(ETAG, tag)], show(page)?).into_response())
}
