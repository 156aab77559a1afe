//! Announced sizes are untrusted: invalid sizes are not summed, and nothing overflows.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, service_fn};

use crate::fixture::{TestTelemetry, number, text};

const HUGE: &str = "18446744073709551613";

fn hook(length: &str) -> Request<()> {
    Request::post("/hook")
        .header("content-length", length)
        .body(())
        .unwrap()
}

#[tokio::test]
async fn an_announced_size_that_cannot_be_true_is_no_measurement() {
    let telemetry = TestTelemetry::new();
    let mut service = telemetry.server().layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    }));
    for length in [HUGE, HUGE, "7"] {
        service.call(hook(length)).await.unwrap();
    }
    let spans = telemetry.spans(3).await;
    assert_eq!(number(&spans[0], "http.request.body.size"), None);
    assert_eq!(number(&spans[2], "http.request.body.size"), Some(7));
    let points = telemetry.points("http.server.request.body.size");
    assert_eq!((points[0].count, points[0].sum), (1, 7.0));
}

#[tokio::test]
async fn a_panicking_handler_does_not_abort_after_a_huge_announcement() {
    let telemetry = TestTelemetry::new();
    let mut service = telemetry
        .server()
        .layer(service_fn(|request: Request<()>| async move {
            assert!(request.method() != "POST", "on purpose");
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }));
    for _ in 0..3 {
        let call = service.call(hook(HUGE));
        assert!(catch_unwind(AssertUnwindSafe(|| call.now_or_never())).is_err());
    }
    let spans = telemetry.spans(3).await;
    assert!(
        spans
            .iter()
            .all(|span| text(span, "error.type").unwrap() == "panic")
    );
    telemetry.idle("http.server.active_requests").await;
}

#[tokio::test]
async fn a_server_cannot_make_its_client_add_up_what_was_not_sent() {
    let telemetry = TestTelemetry::new();
    let mut service =
        telemetry
            .client()
            .end_at_headers()
            .layer(service_fn(|_: Request<()>| async {
                let mut response = Response::new(Empty::<Bytes>::new());
                let length = HUGE.parse().unwrap();
                response.headers_mut().insert("content-length", length);
                Ok::<_, Infallible>(response)
            }));
    for _ in 0..3 {
        let request = Request::get("http://evil.test/").body(()).unwrap();
        let response = service.call(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    telemetry.spans(3).await;
    let points = telemetry.points("http.client.response.body.size");
    assert_eq!((points[0].count, points[0].sum), (3, 0.0));
}

#[tokio::test]
async fn the_first_of_repeated_headers_of_a_response_counts() {
    for (types, size) in [
        (["text/plain", "application/grpc"], Some(5)),
        (["application/grpc", "text/plain"], None),
    ] {
        let telemetry = TestTelemetry::new();
        let layer = telemetry.server().end_at_headers();
        let mut service = layer.layer(service_fn(move |_: Request<()>| async move {
            let response = Response::builder()
                .header("content-type", types[0])
                .header("content-type", types[1])
                .header("content-length", "5")
                .header("content-length", "7");
            Ok::<_, Infallible>(
                response
                    .body(Full::new(Bytes::from_static(b"hello")))
                    .unwrap(),
            )
        }));
        service.call(hook("1")).await.unwrap();
        let spans = telemetry.spans(1).await;
        assert_eq!(number(&spans[0], "http.response.body.size"), size);
    }
}
