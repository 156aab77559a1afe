//! hyper-util's client with the layer.

mod attempts;
mod attributes;
mod ends;
mod propagation;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Redirect;
use axum::routing::get;
use azmon_tower::ClientLayer;
use azmon_tower::client::{ResendLayer, UrlTemplate};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::{FutureExt, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SpanData};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use crate::fixture::{
    self, TestTelemetry, attribute, is_error, named, names, number, serve, text, until,
};

fn hyper_client() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn echo(request: Request) -> String {
    let parent = request.headers().get("traceparent");
    let parent = parent.map(|parent| parent.to_str().unwrap().to_owned());
    parent.unwrap_or_default()
}

async fn serve_back() -> SocketAddr {
    let router = Router::new()
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/from", get(|| async { Redirect::temporary("/to") }))
        .fallback(echo);
    serve(router).await
}

fn request(method: Method, url: impl AsRef<str>) -> http::Request<Body> {
    http::Request::builder()
        .method(method)
        .uri(url.as_ref())
        .body(Body::empty())
        .unwrap()
}

async fn body<B: http_body::Body<Data = bytes::Bytes>>(response: Response<B>) -> String
where
    B::Error: std::fmt::Debug,
{
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn call(
    telemetry: &TestTelemetry,
    layer: ClientLayer,
    request: http::Request<Body>,
) -> (SpanData, String) {
    let response = layer.layer(hyper_client()).oneshot(request).await.unwrap();
    let received = body(response).await;
    (telemetry.span().await, received)
}
