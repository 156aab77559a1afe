//! tonic's servers: unary calls, and streams that fail midway.

use std::net::SocketAddr;
use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::fixture::{TestTelemetry, attribute, is_error, number, text};

/// Answers according to the name of the called service.
pub(crate) struct Answers;

type Answered = Result<HealthCheckResponse, Status>;

#[tonic::async_trait]
impl Health for Answers {
    type WatchStream = Pin<Box<dyn Stream<Item = Answered> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match request.into_inner().service.parse::<i32>() {
            Ok(code) => Err(Status::new(Code::from_i32(code), "on purpose")),
            Err(_) => Ok(Response::new(HealthCheckResponse::default())),
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let answers: Vec<Answered> = match request.into_inner().service.parse::<i32>() {
            Ok(code) => vec![
                Ok(HealthCheckResponse::default()),
                Err(Status::new(Code::from_i32(code), "on purpose")),
            ],
            Err(_) => vec![Ok(HealthCheckResponse::default()); 3],
        };
        Ok(Response::new(stream::iter(answers).boxed()))
    }
}

pub(crate) fn asking(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

pub(crate) async fn serve(telemetry: &TestTelemetry) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .layer(telemetry.server())
        .add_service(HealthServer::new(Answers));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    endpoint.connect().await.unwrap()
}

#[tokio::test]
async fn a_unary_call() {
    let telemetry = TestTelemetry::new();
    let mut client = HealthClient::new(channel(serve(&telemetry).await).await);
    client.check(asking("")).await.unwrap();
    let span = telemetry.span().await;
    assert_eq!(span.name, "grpc.health.v1.Health/Check");
    assert_eq!(text(&span, "rpc.system.name").unwrap(), "grpc");
    assert_eq!(
        text(&span, "rpc.method").unwrap(),
        "grpc.health.v1.Health/Check"
    );
    assert_eq!(text(&span, "rpc.response.status_code").unwrap(), "OK");
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(attribute(&span, "error.type"), None);
    assert!(!is_error(&span));
}

#[tokio::test]
async fn a_unary_call_that_fails_is_an_error_if_the_server_is_at_fault() {
    for (code, name, at_fault) in [
        (2, "UNKNOWN", true),
        (3, "INVALID_ARGUMENT", false),
        (5, "NOT_FOUND", false),
        (13, "INTERNAL", true),
        (14, "UNAVAILABLE", true),
        (16, "UNAUTHENTICATED", false),
    ] {
        let telemetry = TestTelemetry::new();
        let mut client = HealthClient::new(channel(serve(&telemetry).await).await);
        client.check(asking(&code.to_string())).await.unwrap_err();
        let span = telemetry.span().await;
        assert_eq!(text(&span, "rpc.response.status_code").unwrap(), name);
        assert_eq!(is_error(&span), at_fault, "{name}");
        assert_eq!(
            text(&span, "error.type").as_deref(),
            at_fault.then_some(name)
        );
    }
}

#[tokio::test]
async fn a_stream_that_ends_well() {
    let telemetry = TestTelemetry::new();
    let mut client = HealthClient::new(channel(serve(&telemetry).await).await);
    let messages = client.watch(asking("")).await.unwrap().into_inner();
    assert_eq!(messages.count().await, 3);
    let span = telemetry.span().await;
    assert_eq!(span.name, "grpc.health.v1.Health/Watch");
    assert_eq!(text(&span, "rpc.response.status_code").unwrap(), "OK");
    assert!(!is_error(&span));
}

#[tokio::test]
async fn a_stream_that_fails_in_the_middle() {
    let telemetry = TestTelemetry::new();
    let mut client = HealthClient::new(channel(serve(&telemetry).await).await);
    let mut messages = client.watch(asking("13")).await.unwrap().into_inner();
    messages.message().await.unwrap().unwrap();
    messages.message().await.unwrap_err();
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(text(&span, "rpc.response.status_code").unwrap(), "INTERNAL");
    assert_eq!(text(&span, "error.type").unwrap(), "INTERNAL");
    assert!(is_error(&span));
    telemetry.idle("http.server.active_requests").await;
}

#[tokio::test]
async fn the_other_end_of_the_connection_is_the_client() {
    let telemetry = TestTelemetry::new();
    let mut client = HealthClient::new(channel(serve(&telemetry).await).await);
    client.check(asking("")).await.unwrap();
    let span = telemetry.span().await;
    assert_eq!(text(&span, "client.address").unwrap(), "127.0.0.1");
    assert!(number(&span, "network.peer.port").unwrap() > 0);
}

#[tokio::test]
async fn a_method_that_the_service_does_not_have_names_nothing() {
    let telemetry = TestTelemetry::new();
    let address = serve(&telemetry).await;
    let client: Client<_, axum::body::Body> = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let request = http::Request::post(format!("http://{address}/made.Up/Name"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = client.request(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "12");
    let span = telemetry.span().await;
    assert_eq!(span.name, "POST");
    assert_eq!(text(&span, "rpc.method").unwrap(), "_OTHER");
    assert_eq!(text(&span, "rpc.method_original").unwrap(), "made.Up/Name");
    assert_eq!(
        text(&span, "rpc.response.status_code").unwrap(),
        "UNIMPLEMENTED"
    );
}
