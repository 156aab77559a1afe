//! The only test here that installs global providers.

use std::convert::Infallible;

use azmon_tower::ServerLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use opentelemetry::global;
use tower::{Layer, Service, service_fn};

use crate::fixture::{TestTelemetry, until};

#[tokio::test]
async fn global_providers_are_seen_when_they_come_after_the_layer_and_its_first_request() {
    let mut service =
        ServerLayer::with_environment(|_| None).layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }));
    service.call(Request::new(())).await.unwrap();

    let telemetry = TestTelemetry::new();
    global::set_tracer_provider(telemetry.tracers.clone());
    global::set_meter_provider(telemetry.meters.clone());
    until(|| {
        let request = service.call(Request::new(()));
        futures_util::FutureExt::now_or_never(request)
            .unwrap()
            .unwrap();
        !telemetry.ended().is_empty()
            && !telemetry.points("http.server.request.duration").is_empty()
    })
    .await;
}
