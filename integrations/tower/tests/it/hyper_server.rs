//! Plain hyper, HTTP/1 and HTTP/2, without a framework.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tower::{Layer, service_fn};

use crate::fixture::{TestTelemetry, attribute, is_error, number, text, within};

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/never" {
        std::future::pending::<()>().await;
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(Response::new(Full::new(body)))
}

async fn serve(telemetry: &TestTelemetry) -> SocketAddr {
    let service = telemetry.server().layer(service_fn(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let service = service.clone();
            let with_peer = service_fn(move |mut request: Request<Incoming>| {
                request
                    .extensions_mut()
                    .insert(axum::extract::ConnectInfo(peer));
                tower::Service::call(&mut service.clone(), request)
            });
            tokio::spawn(async move {
                let connection = TowerToHyperService::new(with_peer);
                let io = TokioIo::new(stream);
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(io, connection)
                    .await;
            });
        }
    });
    address
}

#[tokio::test]
async fn http_1() {
    let telemetry = TestTelemetry::new();
    let address = serve(&telemetry).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/echo?a=b")
        .header("host", "shop.test:81")
        .body(Full::new(Bytes::from_static(b"hello")))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "hello"
    );
    let span = telemetry.span().await;
    assert_eq!(span.name, "POST");
    assert_eq!(text(&span, "network.protocol.version").unwrap(), "1.1");
    assert_eq!(text(&span, "server.address").unwrap(), "shop.test");
    assert_eq!(number(&span, "server.port"), Some(81));
    assert_eq!(number(&span, "http.request.body.size"), Some(5));
    assert_eq!(number(&span, "http.response.body.size"), Some(5));
    assert_eq!(text(&span, "client.address").unwrap(), "127.0.0.1");
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
}

#[tokio::test]
async fn http_2() {
    let telemetry = TestTelemetry::new();
    let address = serve(&telemetry).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::post("https://shop.test/echo?a=b")
        .version(Version::HTTP_2)
        .body(Full::new(Bytes::from_static(b"hello")))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "hello"
    );
    let span = telemetry.span().await;
    assert_eq!(text(&span, "network.protocol.version").unwrap(), "2");
    assert_eq!(text(&span, "url.scheme").unwrap(), "https");
    assert_eq!(text(&span, "server.address").unwrap(), "shop.test");
    assert_eq!(number(&span, "server.port"), Some(443));
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
}

#[tokio::test]
async fn a_stream_of_http_2_that_is_reset() {
    let telemetry = TestTelemetry::new();
    let address = serve(&telemetry).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://shop.test/never")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let sent = Notify::new();
    let response = sender.send_request(request);
    let give_up = async {
        telemetry_is_active(&telemetry).await;
        sent.notify_one();
    };
    within(async {
        tokio::select! {
            _ = response => panic!("there is no response"),
            () = give_up => {}
        }
    })
    .await;
    let span = telemetry.span().await;
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "before_headers");
    assert!(!is_error(&span));
    telemetry.idle("http.server.active_requests").await;
}

async fn telemetry_is_active(telemetry: &TestTelemetry) {
    crate::fixture::until(|| {
        let points = telemetry.points("http.server.active_requests");
        points.iter().any(|point| point.sum == 1.0)
    })
    .await;
}
