//! The web pages, which `cargo xtask pages` builds from `portal/web`, and which are embedded at compile time.
//!
//! | Path | Answer |
//! |---|---|
//! | `/`, `/map`, `/transactions/{id}`, … ([`PATHS`]) | `index.html`, revalidated each time |
//! | `/assets/…` | named after its content, cached for a year |
//! | `/icon.svg`, `/theme.js` | revalidated each time, by entity tag |
//!
//! Without built pages, the paths answer with instructions for building them, and the API works as usual.

mod file;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use self::file::{Caching, File};
use crate::api::Context;
use crate::server::ApiError;

/// The files that the build script found.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));
/// The paths of all pages. The pages' script has the same list.
const PATHS: &[&str] = &[
    "/",
    "/compare",
    "/doctor",
    "/failures",
    "/live",
    "/logs",
    "/map",
    "/metrics",
    "/performance",
    "/start",
    "/transactions",
    "/transactions/{operation}",
];
/// The answer in place of the pages.
const NOT_BUILT: &str = "The pages are not part of this program: it was compiled before they were built.\n\
    Build them with `cargo xtask pages` (Node.js 20 or newer), and compile again.\n\
    The API works without them: GET /api/items, and the others of /api.\n";

pub(crate) fn routes() -> Router<Context> {
    let mut routes = Router::new()
        .route("/assets/{name}", get(asset))
        .route("/icon.svg", get(named))
        .route("/theme.js", get(named));
    for path in PATHS {
        routes = routes.route(path, get(index));
    }
    routes
}

async fn index(headers: HeaderMap) -> Response {
    match find("/index.html") {
        Some(file) => file.answer(&headers, Caching::AskAgain),
        None => NOT_BUILT.into_response(),
    }
}

async fn named(uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let file = find(uri.path()).ok_or_else(|| missing(uri.path()))?;
    Ok(file.answer(&headers, Caching::AskAgain))
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let path = format!("/assets/{name}");
    let file = find(&path).ok_or_else(|| missing(&path))?;
    Ok(file.answer(&headers, Caching::Forever))
}

fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

fn missing(path: &str) -> ApiError {
    ApiError::not_found(format!("there is no {path} among the pages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_the_script_is_served() {
        let script = include_str!("../../web/src/lib/pages.ts");
        let pages: Vec<_> = script
            .split("path: '")
            .skip(1)
            .filter_map(|rest| rest.split('\'').next())
            .collect();
        assert!(pages.len() >= 7, "{pages:?}");
        for page in pages {
            assert!(PATHS.contains(&page), "{page}");
        }
    }

    #[test]
    fn files_are_named_once() {
        for (number, file) in FILES.iter().enumerate() {
            assert!(
                FILES
                    .iter()
                    .skip(number + 1)
                    .all(|other| other.path != file.path),
                "{}",
                file.path
            );
        }
        assert_eq!(FILES.is_empty(), find("/index.html").is_none());
    }
}
