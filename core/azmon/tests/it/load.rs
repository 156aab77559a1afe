//! A service under load that keeps one request in a hundred.

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, SpanKind, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::task::JoinSet;

use crate::endpoint::{Endpoint, Script};
use crate::metrics::metrics;
use crate::support::builder;

const CLIENTS: u64 = 8;
const REQUESTS_OF_A_CLIENT: u64 = 500;

async fn order(State(tracers): State<SdkTracerProvider>, Path(id): Path<u64>) -> StatusCode {
    let tracer = tracers.tracer("load");
    let mut request = tracer
        .span_builder("GET /orders/{id}")
        .with_kind(SpanKind::Server)
        .start(&tracer);
    tokio::task::yield_now().await;
    let status = match id % 10 {
        0 => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    };
    let code = i64::from(status.as_u16());
    request.set_attribute(KeyValue::new("http.response.status_code", code));
    request.end();
    status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn standard_metrics_count_every_request_at_one_percent_sampling() {
    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let telemetry = builder(endpoint.connection_string())
        .standard_metrics(true)
        .sampling_ratio(0.01)
        .build()
        .unwrap();
    let app = Router::new()
        .route("/orders/{id}", get(order))
        .with_state(telemetry.tracer_provider().clone());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());

    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(async move {
            let http = reqwest::Client::new();
            let mut failures = 0;
            for number in 0..REQUESTS_OF_A_CLIENT {
                let id = client * REQUESTS_OF_A_CLIENT + number;
                let response = http
                    .get(format!("http://{address}/orders/{id}"))
                    .send()
                    .await;
                failures += i64::from(response.unwrap().status().is_server_error());
            }
            failures
        });
    }
    let failures: i64 = clients.join_all().await.into_iter().sum();
    telemetry.force_flush().unwrap();

    let sent: Vec<_> = endpoint
        .received()
        .into_iter()
        .flat_map(|request| request.envelopes)
        .collect();
    let counted = |success: &str| -> i64 {
        let series = metrics(&sent, "requests/duration").into_iter();
        let series = series.filter(|(envelope, _)| {
            envelope.data.properties().get("Request.Success").unwrap() == success
        });
        series.map(|(_, point)| point.count.unwrap()).sum()
    };
    let all = (CLIENTS * REQUESTS_OF_A_CLIENT) as i64;
    assert_eq!(
        (counted("False"), counted("True")),
        (failures, all - failures)
    );
    assert_eq!(failures, all / 10);
    let series = metrics(&sent, "requests/duration").len();
    let kept = sent.len() - series;
    assert!(kept < 200, "{kept} of {all} requests were kept");
}
