//! A request that calls another service: request, dependency, request.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::routing::get;
use azmon::Telemetry;
use azmon::envelope::{Data, Envelope, tags};
use azmon::testing::InMemoryDestination;
use azmon_reqwest::TraceMiddleware;
use azmon_tower::ServerLayer;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::net::TcpListener;

/// The telemetry of one service, with its destination.
struct Side {
    telemetry: Telemetry,
    destination: InMemoryDestination,
}

impl Side {
    fn new(ratio: f64) -> Self {
        let destination = InMemoryDestination::new();
        let builder = Telemetry::builder()
            .destination(&destination)
            .sampling_ratio(ratio)
            .install_globally(false);
        Self {
            telemetry: builder.build().unwrap(),
            destination,
        }
    }

    fn provider(&self) -> &SdkTracerProvider {
        self.telemetry.tracer_provider()
    }

    fn layer(&self) -> ServerLayer {
        ServerLayer::new().tracer_provider(self.provider())
    }

    fn client(&self, middleware: TraceMiddleware) -> ClientWithMiddleware {
        let middleware = middleware.tracer_provider(self.provider());
        ClientBuilder::new(reqwest::Client::new())
            .with(middleware)
            .build()
    }

    fn arrived(&self) -> Vec<Envelope<'static>> {
        self.telemetry.force_flush().unwrap();
        self.destination.envelopes()
    }
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// Starts both services, and calls the first, which calls the second.
async fn ask(front: &Side, back: &Side, middleware: TraceMiddleware) {
    let stock = Router::new()
        .route("/stock/{id}", get(|| async { "3" }))
        .layer(back.layer());
    let stock = serve(stock).await;
    let client = front.client(middleware);
    let order = move || async move {
        client
            .get(format!("http://{stock}/stock/7"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let shop = Router::new()
        .route("/orders/{id}", get(order))
        .layer(front.layer());
    let shop = serve(shop).await;
    let answer = reqwest::get(format!("http://{shop}/orders/7"))
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "3");
}

fn id<'a>(envelope: &'a Envelope<'_>) -> &'a str {
    match &envelope.data {
        Data::Request(data) => &data.id,
        Data::RemoteDependency(data) => &data.id,
        other => panic!("{other:?}"),
    }
}

fn tag<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    envelope.tags.get(key).map(|value| &**value)
}

fn find<'a>(envelopes: &'a [Envelope<'static>], kind: &str) -> &'a Envelope<'static> {
    envelopes
        .iter()
        .find(|envelope| envelope.name.ends_with(kind))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_request_belongs_to_the_dependency_of_the_first() {
    let (front, back) = (Side::new(1.0), Side::new(1.0));
    ask(&front, &back, TraceMiddleware::new()).await;
    let (front, back) = (front.arrived(), back.arrived());
    let request = find(&front, ".Request");
    let call = find(&front, ".RemoteDependency");
    let remote = find(&back, ".Request");
    assert_eq!(tag(call, tags::OPERATION_PARENT_ID), Some(id(request)));
    assert_eq!(tag(call, tags::OPERATION_NAME), Some("GET /orders/{id}"));
    assert_eq!(tag(remote, tags::OPERATION_PARENT_ID), Some(id(call)));
    for envelope in [call, remote] {
        assert_eq!(
            tag(envelope, tags::OPERATION_ID),
            tag(request, tags::OPERATION_ID)
        );
    }
    let Data::RemoteDependency(call) = &call.data else {
        panic!("a dependency")
    };
    assert_eq!(call.dependency_type.as_deref(), Some("Http"));
    assert_eq!(call.name, "GET /stock/7");
    assert_eq!(call.result_code.as_deref(), Some("200"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_an_excluded_host_leaves_no_dependency_and_the_trace_goes_on() {
    let (front, back) = (Side::new(1.0), Side::new(1.0));
    ask(
        &front,
        &back,
        TraceMiddleware::new().exclude_hosts(["127.0.0.1"]),
    )
    .await;
    let (front, back) = (front.arrived(), back.arrived());
    let [request] = &front[..] else {
        panic!("{front:?}")
    };
    let remote = find(&back, ".Request");
    assert_eq!(
        tag(remote, tags::OPERATION_ID),
        tag(request, tags::OPERATION_ID)
    );
    assert_eq!(tag(remote, tags::OPERATION_PARENT_ID), Some(id(request)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsampled_request_leaves_nothing_and_the_next_service_decides_independently() {
    let (front, back) = (Side::new(0.0), Side::new(1.0));
    ask(&front, &back, TraceMiddleware::new()).await;
    assert!(front.arrived().is_empty());
    assert_eq!(back.arrived().len(), 1);
}
