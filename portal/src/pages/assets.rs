use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

pub(super) async fn style() -> impl IntoResponse {
    const TYPE: &str = "text/css; charset=utf-8";
    (
        [(CONTENT_TYPE, TYPE)],
        include_str!("../../assets/portal.css"),
    )
}

pub(super) async fn script() -> impl IntoResponse {
    const TYPE: &str = "text/javascript; charset=utf-8";
    (
        [(CONTENT_TYPE, TYPE)],
        include_str!("../../assets/portal.js"),
    )
}

pub(super) async fn icon() -> impl IntoResponse {
    const TYPE: &str = "image/svg+xml";
    (
        [(CONTENT_TYPE, TYPE)],
        include_str!("../../assets/icon.svg"),
    )
}
