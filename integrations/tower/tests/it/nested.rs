//! One layer around another, and in-process calls.

use std::convert::Infallible;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use tower::{Layer, ServiceExt, service_fn};

use crate::fixture::{self, TestTelemetry, named, serve, text};

const CALLER: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn of_two_layers_the_outer_one_records_and_the_inner_one_tells_the_route() {
    let telemetry = TestTelemetry::new();
    let router = Router::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .layer(telemetry.server());
    let service = telemetry.server().layer(router);
    let address = serve(Router::new().fallback_service(service)).await;
    for headers in [&[][..], &[CALLER]] {
        fixture::get(address, "/users/7", headers).await;
    }
    for span in telemetry.spans(2).await {
        assert_eq!(span.name, "GET /users/{id}");
        assert_eq!(text(&span, "http.route").unwrap(), "/users/{id}");
    }
    let points = telemetry.points("http.server.request.duration");
    assert_eq!(points.iter().map(|point| point.count).sum::<u64>(), 2);
}

#[tokio::test]
async fn a_call_of_another_service_in_the_same_process_is_a_request_of_its_own() {
    let telemetry = TestTelemetry::new();
    let empty =
        |_: Request<()>| async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) };
    let stock = telemetry.server().layer(service_fn(empty));
    let client = telemetry.client().layer(stock);
    let shop = telemetry.server().layer(service_fn(move |_: Request<()>| {
        let client = client.clone();
        async move {
            let call = Request::put("http://stock.test/").body(()).unwrap();
            client.oneshot(call).await.unwrap();
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    }));
    shop.oneshot(Request::get("/").body(()).unwrap())
        .await
        .unwrap();
    let spans = telemetry.spans(3).await;
    let order = named(&spans, "GET");
    let calls: Vec<_> = spans.iter().filter(|span| span.name == "PUT").collect();
    assert_eq!(calls.len(), 2);
    let (call, lookup) = if calls[0].parent_span_id == order.span_context.span_id() {
        (calls[0], calls[1])
    } else {
        (calls[1], calls[0])
    };
    assert_eq!(call.parent_span_id, order.span_context.span_id());
    assert_eq!(lookup.parent_span_id, call.span_context.span_id());
}
