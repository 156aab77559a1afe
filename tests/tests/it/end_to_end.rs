//! From a request to the portal over real sockets: service, layer, exporter, portal.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use azmon::Telemetry;
use azmon::envelope::{Data, tags};
use azmon_portal::{Item, ItemKind, Portal};
use azmon_tower::ServerLayer;
use opentelemetry::Context;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::net::TcpListener;

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// A service whose telemetry goes to a portal.
struct Bench {
    portal: Portal,
    telemetry: Arc<Telemetry>,
    service: SocketAddr,
}

impl Bench {
    async fn start() -> Self {
        let portal = Portal::builder().bind(ANY_PORT.into()).await.unwrap();
        let telemetry = Telemetry::builder()
            .connection_string(portal.connection_string())
            .environment(|_| None)
            .service_name("shop")
            .max_export_delay(Duration::from_secs(3_600))
            .install_globally(false)
            .build()
            .unwrap();
        let layer = ServerLayer::new()
            .tracer_provider(telemetry.tracer_provider())
            .exclude_paths(["/healthz"]);
        let app = routes(telemetry.tracer_provider()).layer(layer);
        let listener = TcpListener::bind(ANY_PORT).await.unwrap();
        let service = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            portal,
            telemetry: Arc::new(telemetry),
            service,
        }
    }

    async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> u16 {
        let mut request = reqwest::Client::new().get(format!("http://{}{path}", self.service));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Everything that has arrived, oldest first.
    async fn items(&self) -> Vec<Arc<Item>> {
        let telemetry = self.telemetry.clone();
        tokio::task::spawn_blocking(move || telemetry.force_flush())
            .await
            .unwrap()
            .unwrap();
        let mut items = self.portal.items();
        items.sort_by_key(|item| item.id());
        items
    }
}

fn routes(provider: &SdkTracerProvider) -> Router {
    let tracer = provider.tracer("handler");
    let order = move || async move {
        tracer
            .start_with_context("look up", &Context::current())
            .end();
        "an order"
    };
    Router::new()
        .route("/orders/{id}", get(order))
        .route("/fail", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/healthz", get(|| async { "well" }))
}

fn requests(items: &[Arc<Item>]) -> impl Iterator<Item = &Arc<Item>> {
    items.iter().filter(|item| item.kind() == ItemKind::Request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_arrive_with_name_duration_code_and_success_and_excluded_ones_do_not() {
    let bench = Bench::start().await;
    for (path, status) in [
        ("/orders/7?tea=1", 200),
        ("/fail", 500),
        ("/none", 404),
        ("/healthz", 200),
    ] {
        assert_eq!(bench.get(path, &[]).await, status);
    }
    let items = bench.items().await;
    let mut arrived: Vec<_> = requests(&items)
        .map(|item| {
            (
                item.name().into_owned(),
                item.result_code().unwrap(),
                item.success().unwrap(),
            )
        })
        .collect();
    arrived.sort();
    assert_eq!(
        arrived,
        [
            ("GET".to_owned(), "404", false),
            ("GET /fail".to_owned(), "500", false),
            ("GET /orders/{id}".to_owned(), "200", true),
        ]
    );
    for item in requests(&items) {
        assert!(item.duration().unwrap() > Duration::ZERO);
        assert_eq!(item.tag(tags::CLOUD_ROLE), Some("shop"));
        assert_eq!(item.operation_name(), Some(&*item.name()));
        let Data::Request(data) = &item.envelope().data else {
            panic!("a request")
        };
        let url = data.url.as_deref().unwrap();
        assert!(
            url.starts_with(&format!("http://{}/", bench.service)),
            "{url}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_span_of_the_handler_belongs_to_its_request() {
    let bench = Bench::start().await;
    bench.get("/orders/7", &[]).await;
    let items = bench.items().await;
    let request = requests(&items).next().unwrap();
    let child = items
        .iter()
        .find(|item| item.kind() == ItemKind::Dependency)
        .unwrap();
    let Data::Request(data) = &request.envelope().data else {
        panic!("a request")
    };
    assert_eq!(child.name(), "look up");
    assert_eq!(child.operation_id(), request.operation_id());
    assert_eq!(child.operation_name(), Some("GET /orders/{id}"));
    assert_eq!(child.tag(tags::OPERATION_PARENT_ID), Some(&*data.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_continues_the_trace_of_its_caller() {
    let bench = Bench::start().await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    bench.get("/fail", &[("traceparent", parent)]).await;
    let items = bench.items().await;
    let request = requests(&items).next().unwrap();
    assert_eq!(
        request.operation_id(),
        Some("0af7651916cd43dd8448eb211c80319c")
    );
    assert_eq!(
        request.tag(tags::OPERATION_PARENT_ID),
        Some("b7ad6b7169203331")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_requests_arrive_and_harm_nothing() {
    let bench = Bench::start().await;
    let long = "a".repeat(6_000);
    for (path, headers) in [
        (
            format!("/orders/{long}?{long}"),
            vec![("user-agent", long.as_str())],
        ),
        (
            "/orders/%00%ff%F0%9F%A6%80?q=%3Cscript%3E".to_owned(),
            vec![("user-agent", "<script>alert(1)</script>")],
        ),
        (
            "/orders/1".to_owned(),
            vec![("traceparent", "00-zz-zz-zz"), ("tracestate", "=,=,=")],
        ),
    ] {
        let status = bench.get(&path, &headers).await;
        assert_eq!(status, 200, "{path}");
    }
    let items = bench.items().await;
    assert_eq!(requests(&items).count(), 3);
    let page = reqwest::get(bench.portal.url())
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!page.contains("<script>alert"));
}
