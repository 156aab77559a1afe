//! Two services in Application Insights: request, dependency, request.

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use azmon::Telemetry;
use azmon::envelope::{Data, Envelope, RemoteDependencyData, RequestData, tags};
use azmon::testing::InMemoryDestination;
use azmon_instrument::OperationName;
use azmon_instrument::propagation::extract;
use azmon_reqwest::TraceMiddleware;
use opentelemetry::trace::{
    FutureExt, SpanBuilder, SpanKind, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SdkTracer};
use reqwest::Proxy;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::fixture::{direct, serve, with};

struct Service {
    telemetry: Telemetry,
    destination: InMemoryDestination,
}

impl Service {
    fn new(name: &'static str) -> Self {
        let destination = InMemoryDestination::new();
        let telemetry = Telemetry::builder()
            .destination(&destination)
            .service_name(name)
            .sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .install_globally(false)
            .build()
            .unwrap();
        Self {
            telemetry,
            destination,
        }
    }

    fn tracer(&self) -> SdkTracer {
        self.telemetry.tracer_provider().tracer("server")
    }

    fn middleware(&self) -> TraceMiddleware {
        TraceMiddleware::with_environment(|_| None)
            .tracer_provider(self.telemetry.tracer_provider())
    }

    /// The called service.
    async fn stock(&self) -> String {
        let tracer = self.tracer();
        let handler = move |headers: HeaderMap| async move {
            answer(&tracer, &headers, "GET /stock/{id}", async {
                "three".to_owned()
            })
            .await
        };
        serve(Router::new().route("/stock/{id}", get(handler))).await
    }

    /// The service that calls `url`.
    async fn shop(&self, client: ClientWithMiddleware, url: String) -> String {
        let tracer = self.tracer();
        let handler = move |headers: HeaderMap| async move {
            let call = async { client.get(url).send().await.unwrap().text().await.unwrap() };
            answer(&tracer, &headers, "GET /orders", call).await
        };
        serve(Router::new().route("/orders", get(handler))).await
    }

    /// Dependencies first, then requests.
    fn envelopes(&self) -> Vec<Envelope<'static>> {
        self.telemetry.force_flush().unwrap();
        let mut envelopes = self.destination.envelopes();
        envelopes.retain(|envelope| {
            matches!(envelope.data, Data::Request(_) | Data::RemoteDependency(_))
        });
        envelopes.sort_by_key(|envelope| matches!(envelope.data, Data::Request(_)));
        envelopes
    }
}

/// A server request, with the caller's span as its parent.
async fn answer(
    tracer: &SdkTracer,
    headers: &HeaderMap,
    name: &'static str,
    work: impl Future<Output = String>,
) -> String {
    let caller = extract(&Context::new(), headers);
    let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Server);
    let span = tracer.build_with_context(builder, &caller);
    let context = caller
        .with_span(span)
        .with_value(OperationName(name.into()));
    let text = work.with_context(context.clone()).await;
    let status = KeyValue::new("http.response.status_code", 200);
    context.span().set_attribute(status);
    context.span().end();
    text
}

#[track_caller]
fn request<'a>(envelope: &'a Envelope<'_>) -> &'a RequestData<'a> {
    match &envelope.data {
        Data::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn dependency<'a>(envelope: &'a Envelope<'_>) -> &'a RemoteDependencyData<'a> {
    match &envelope.data {
        Data::RemoteDependency(dependency) => dependency,
        other => panic!("{other:?}"),
    }
}

fn tag<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    envelope.tags.get(key).map(AsRef::as_ref)
}

async fn visit(url: &str, traceparent: Option<&str>) {
    let mut request = direct().build().unwrap().get(format!("{url}/orders"));
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let text = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(text, "three");
}

#[tokio::test]
async fn a_request_calls_a_dependency_that_is_the_parent_of_the_next_request() {
    let (shop, stock) = (Service::new("shop"), Service::new("stock"));
    let stock_url = stock.stock().await;
    let called = format!("{stock_url}/stock/7");
    let client = with(shop.middleware());
    visit(&shop.shop(client, called.clone()).await, None).await;

    let (at_shop, at_stock) = (shop.envelopes(), stock.envelopes());
    let [call, order] = at_shop.as_slice() else {
        panic!("{at_shop:#?}")
    };
    let [lookup] = at_stock.as_slice() else {
        panic!("{at_stock:#?}")
    };
    assert_eq!(tag(order, tags::OPERATION_PARENT_ID), None);
    assert_eq!(
        tag(call, tags::OPERATION_PARENT_ID),
        Some(&*request(order).id)
    );
    assert_eq!(
        tag(lookup, tags::OPERATION_PARENT_ID),
        Some(&*dependency(call).id)
    );
    let operation = tag(order, tags::OPERATION_ID);
    assert!(operation.is_some());
    assert_eq!(tag(call, tags::OPERATION_ID), operation);
    assert_eq!(tag(lookup, tags::OPERATION_ID), operation);

    assert_eq!(tag(call, tags::OPERATION_NAME), Some("GET /orders"));
    let dependency = dependency(call);
    assert_eq!(dependency.dependency_type.as_deref(), Some("Http"));
    assert_eq!(dependency.name, "GET /stock/7");
    assert_eq!(
        dependency.target.as_deref(),
        stock_url.strip_prefix("http://")
    );
    assert_eq!(dependency.data.as_deref(), Some(&*called));
    assert_eq!(dependency.result_code.as_deref(), Some("200"));
    assert!(dependency.success);
}

#[tokio::test]
async fn what_is_not_sampled_reaches_neither_but_stays_one_trace() {
    let (shop, stock) = (Service::new("shop"), Service::new("stock"));
    let (seen, mut heard) = tokio::sync::mpsc::channel(1);
    let tracer = stock.tracer();
    let handler = move |headers: HeaderMap| async move {
        seen.send(headers["traceparent"].clone()).await.unwrap();
        answer(&tracer, &headers, "GET /stock", async {
            "three".to_owned()
        })
        .await
    };
    let url = serve(Router::new().route("/", get(handler))).await;
    let url = shop.shop(with(shop.middleware()), url).await;
    let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    visit(&url, Some(caller)).await;
    assert!(shop.envelopes().is_empty());
    assert!(stock.envelopes().is_empty());
    let sent = heard.recv().await.unwrap();
    let sent = sent.to_str().unwrap();
    assert!(
        sent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
        "{sent}"
    );
    assert!(sent.ends_with("-00"), "{sent}");
}

#[tokio::test]
async fn an_excluded_host_makes_no_dependency_and_requests_are_joined_without_it() {
    let (shop, stock) = (Service::new("shop"), Service::new("stock"));
    let called = format!("{}/stock/7", stock.stock().await);
    let client = with(shop.middleware().exclude_hosts(["127.0.0.1"]));
    visit(&shop.shop(client, called).await, None).await;
    let (at_shop, at_stock) = (shop.envelopes(), stock.envelopes());
    assert_eq!((at_shop.len(), at_stock.len()), (1, 1));
    let (order, lookup) = (&at_shop[0], &at_stock[0]);
    assert_eq!(
        tag(lookup, tags::OPERATION_PARENT_ID),
        Some(&*request(order).id)
    );
    assert_eq!(
        tag(lookup, tags::OPERATION_ID),
        tag(order, tags::OPERATION_ID)
    );
    request(lookup);
}

#[tokio::test]
async fn the_target_has_no_default_port() {
    let service = Service::new("shop");
    let proxy = serve(Router::new().fallback(get(|| async { "three" }))).await;
    let client = reqwest::Client::builder().proxy(Proxy::http(proxy).unwrap());
    let client = ClientBuilder::new(client.build().unwrap())
        .with(service.middleware())
        .build();
    let response = client.get("http://stock.invalid/7?id=1").send().await;
    response.unwrap().bytes().await.unwrap();
    let envelopes = service.envelopes();
    let dependency = dependency(&envelopes[0]);
    assert_eq!(dependency.target.as_deref(), Some("stock.invalid"));
    assert_eq!(dependency.name, "GET /7");
    assert_eq!(
        dependency.data.as_deref(),
        Some("http://stock.invalid/7?id=1")
    );
}

#[tokio::test]
async fn a_call_without_a_response_is_a_failed_dependency() {
    let service = Service::new("shop");
    let call = with(service.middleware())
        .get("http://nowhere.invalid/a")
        .send();
    call.await.unwrap_err();
    let envelopes = service.envelopes();
    let dependency = dependency(&envelopes[0]);
    assert!(!dependency.success);
    assert_eq!(dependency.result_code.as_deref(), Some("0"));
    assert_eq!(dependency.target.as_deref(), Some("nowhere.invalid"));
    let error_type = dependency.properties.get("error.type");
    assert_eq!(error_type.map(AsRef::as_ref), Some("dns"));
}
