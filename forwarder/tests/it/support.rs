//! A sink that keeps deliveries, and servers on free ports.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use azmon::envelope::{Data, Envelope};
use azmon_forwarder::inputs::{
    Budget, Limits, Listener, OtlpInput, OtlpOptions, serve_grpc, serve_http,
};
use azmon_forwarder::sink::{Acceptance, Delivering, Delivery, ReceivedItem, Refusal, Sink};
use tonic::service::Routes;

/// Keeps every delivery. It responds according to its script, and after that accepts everything.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    deliveries: Mutex<Vec<Delivery>>,
    script: Mutex<VecDeque<Result<Acceptance, Refusal>>>,
}

impl Kept {
    pub(crate) fn scripted(
        script: impl IntoIterator<Item = Result<Acceptance, Refusal>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            deliveries: Mutex::default(),
            script: Mutex::new(script.into_iter().collect()),
        })
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.lock().unwrap().clone()
    }

    pub(crate) fn items(&self) -> Vec<ReceivedItem> {
        let deliveries = self.deliveries().into_iter();
        deliveries
            .flat_map(|delivery| delivery.batches)
            .flat_map(|batch| batch.items)
            .collect()
    }

    pub(crate) fn envelopes(&self) -> Vec<Envelope<'static>> {
        self.items().into_iter().map(|item| item.envelope).collect()
    }
}

impl Sink for Kept {
    fn deliver(&self, delivery: Delivery) -> Delivering<'_> {
        Box::pin(async move {
            let answer = self.script.lock().unwrap().pop_front();
            let answer = answer.unwrap_or_else(|| Ok(Acceptance::default()));
            if answer.is_ok() {
                self.deliveries.lock().unwrap().push(delivery);
            }
            answer
        })
    }
}

pub(crate) async fn listener() -> (Listener, SocketAddr) {
    let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0), 100).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub(crate) async fn http_server(router: axum::Router) -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(serve_http(listener, router, std::future::pending()));
    address
}

pub(crate) async fn grpc_server(routes: Routes, limits: Limits, budget: Budget) -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        serve_grpc(listener, routes, &limits, budget, std::future::pending())
            .await
            .unwrap();
    });
    address
}

/// OTLP over HTTP, with a sink.
pub(crate) async fn otlp_http(sink: &Arc<Kept>, options: OtlpOptions) -> (SocketAddr, OtlpInput) {
    let input = OtlpInput::new(sink.clone(), options);
    (http_server(input.http_router()).await, input)
}

/// OTLP over gRPC, with a sink.
pub(crate) async fn otlp_grpc(sink: &Arc<Kept>, options: OtlpOptions) -> (SocketAddr, OtlpInput) {
    let input = OtlpInput::new(sink.clone(), options);
    let budget = input.budget().clone();
    let address = grpc_server(input.grpc_routes(), Limits::default(), budget).await;
    (address, input)
}

pub(crate) fn property<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    envelope.data.properties().get(key).map(AsRef::as_ref)
}

pub(crate) fn tag<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    envelope.tags.get(key).map(AsRef::as_ref)
}

/// The name of a request, a dependency, an event or a metric; the text of a message or an exception.
pub(crate) fn name<'a>(envelope: &'a Envelope<'_>) -> &'a str {
    match &envelope.data {
        Data::Request(data) => &data.name,
        Data::RemoteDependency(data) => &data.name,
        Data::Event(data) => &data.name,
        Data::Message(data) => &data.message,
        Data::Metric(data) => &data.metrics[0].name,
        Data::Exception(data) => &data.exceptions[0].message,
        Data::Availability(data) => &data.name,
        Data::PageView(data) => &data.name,
        other @ Data::PageViewPerf(_) => other.envelope_name(),
    }
}

/// The only envelope with this name.
pub(crate) fn named<'a>(envelopes: &'a [Envelope<'static>], wanted: &str) -> &'a Envelope<'static> {
    let mut found = envelopes.iter().filter(|envelope| name(envelope) == wanted);
    let one = found
        .next()
        .unwrap_or_else(|| panic!("no {wanted} in {envelopes:#?}"));
    assert!(found.next().is_none(), "{wanted} is there twice");
    one
}
