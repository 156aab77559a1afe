//! `/QuickPulseService.svc/ping` and `/post`, the endpoints of clients.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::live::hub::Hub;
use crate::live::point::Point;

/// The maximum size of a body.
const MAX_BODY: usize = 8 << 20;
/// The maximum number of points in a post; clients keep ten.
const MAX_POINTS: usize = 60;
/// The interval of pings of an idle client, in milliseconds: a new page shows figures within a second.
const HINT: &str = "1000";

/// The endpoints of Live Metrics. Like ingestion, they accept any host and need no token.
pub(crate) fn routes(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/QuickPulseService.svc/ping", post(ping))
        .route("/QuickPulseService.svc/post", post(post_points))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(hub)
}

async fn ping(
    State(hub): State<Arc<Hub>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (app, body) = match opened(query.as_deref(), body) {
        Ok(opened) => opened,
        Err((status, reason)) => return refuse(status, &reason),
    };
    // A client may ping without a body, and identify itself in headers.
    let mut point = if body.iter().all(u8::is_ascii_whitespace) {
        Point::default()
    } else {
        let read = serde_json::from_slice::<Value>(&body).ok();
        match read.as_ref().and_then(Point::read) {
            Some(point) => point,
            None => return refuse(StatusCode::BAD_REQUEST, "the body of a ping is one object"),
        }
    };
    let header = |name: &str| {
        let value = headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        value.map(|value| value.chars().take(256).collect::<String>())
    };
    for (part, name) in [
        (&mut point.stream, "x-ms-qps-stream-id"),
        (&mut point.instance, "x-ms-qps-instance-name"),
        (&mut point.machine, "x-ms-qps-machine-name"),
        (&mut point.role, "x-ms-qps-role-name"),
    ] {
        if part.is_empty() {
            *part = header(name).unwrap_or_default();
        }
    }
    if point.invariant_version == 0 {
        let version = header("x-ms-qps-invariant-version");
        point.invariant_version = version.and_then(|text| text.parse().ok()).unwrap_or(0);
    }
    let is_subscribed = hub.ping(&app, &point);
    answer(&hub, &headers, is_subscribed)
}

async fn post_points(
    State(hub): State<Arc<Hub>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (app, body) = match opened(query.as_deref(), body) {
        Ok(opened) => opened,
        Err((status, reason)) => return refuse(status, &reason),
    };
    let values = match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Array(values)) => values,
        Ok(value @ Value::Object(_)) => vec![value],
        Ok(_) | Err(_) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                "the body of a post is an array of points",
            );
        }
    };
    let points: Vec<_> = values
        .iter()
        .take(MAX_POINTS)
        .filter_map(Point::read)
        .collect();
    let is_subscribed = hub.post(&app, points);
    answer(&hub, &headers, is_subscribed)
}

fn answer(hub: &Hub, headers: &HeaderMap, is_subscribed: bool) -> Response {
    let subscribed = if is_subscribed { "true" } else { "false" };
    let told = [
        ("x-ms-qps-subscribed", subscribed.to_owned()),
        ("x-ms-qps-service-polling-interval-hint", HINT.to_owned()),
    ];
    if !is_subscribed {
        return (StatusCode::OK, told).into_response();
    }
    let known = headers.get("x-ms-qps-configuration-etag");
    let known = known.and_then(|value| value.to_str().ok()).unwrap_or("");
    let (etag, body) = hub.configuration(known);
    let etag = [
        ("x-ms-qps-configuration-etag", etag),
        (
            header::CONTENT_TYPE.as_str(),
            "application/json; charset=utf-8".to_owned(),
        ),
    ];
    (StatusCode::OK, told, etag, body.unwrap_or_default()).into_response()
}

/// The instrumentation key and the body.
fn opened(
    query: Option<&str>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(String, Bytes), (StatusCode, String)> {
    let body = body.map_err(|rejection| {
        let reason = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => format!("the body is larger than {MAX_BODY} bytes"),
            _ => rejection.body_text(),
        };
        (rejection.status(), reason)
    })?;
    let pairs = query.unwrap_or_default().split('&');
    let key = pairs
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| {
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            name.eq_ignore_ascii_case("ikey")
                .then(|| value.into_owned())
        });
    match key.filter(|key| !key.trim().is_empty() && key.len() <= 256) {
        Some(key) => Ok((key, body)),
        None => Err((
            StatusCode::BAD_REQUEST,
            "the address names no instrumentation key (ikey)".to_owned(),
        )),
    }
}

/// An error in the service's form.
fn refuse(status: StatusCode, message: &str) -> Response {
    tracing::debug!(
        status = status.as_u16(),
        message,
        "a call of live metrics was refused"
    );
    let body = serde_json::json!({
        "RequestId": format!("{:032x}", fastrand::u128(..)),
        "ResponseDateTime": Timestamp::now().to_string(),
        "Code": status.canonical_reason().unwrap_or("Error"),
        "Message": message,
        "Exception": Value::Null,
    });
    (status, axum::Json(body)).into_response()
}
