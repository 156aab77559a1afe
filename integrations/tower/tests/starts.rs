//! The telemetry of a service that starts, and restarts: in a separate process, since providers are global.
#![cfg(test)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use azmon::Telemetry;
use azmon::envelope::Data;
use azmon::testing::InMemoryDestination;
use azmon_tower::ServerLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const STARTS: usize = 200;
const CONNECTIONS: usize = 16;

struct Service {
    telemetry: Telemetry,
    destination: InMemoryDestination,
}

impl Service {
    fn start() -> Self {
        let destination = InMemoryDestination::new();
        let builder = Telemetry::builder()
            .destination(&destination)
            .panic_hook(false);
        Self {
            telemetry: builder.build().unwrap(),
            destination,
        }
    }

    /// Ends the telemetry, and returns the number of received requests.
    fn end(self) -> usize {
        self.telemetry.shutdown(Duration::from_secs(10)).unwrap();
        assert!(self.telemetry.dropped_items().is_empty());
        let envelopes = self.destination.envelopes().into_iter();
        envelopes
            .filter(|envelope| matches!(envelope.data, Data::Request(_)))
            .count()
    }
}

async fn serve(layer: ServerLayer) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .layer(layer);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// Sends one request over each of many connections, concurrently.
async fn ask_all_at_once(address: SocketAddr) {
    let barrier = Arc::new(Barrier::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let barrier = Arc::clone(&barrier);
        connections.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            barrier.wait().await;
            let request = b"GET /users/7 HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n";
            stream.write_all(request).await.unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).await.unwrap();
            assert!(response.ends_with("hello"), "{response}");
        });
    }
    connections.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_request_is_recorded_from_the_first_one_on() {
    let layer = || ServerLayer::with_environment(|_| None);
    let lasting = layer();
    let lasting_address = serve(lasting).await;
    for start in 0..STARTS {
        let service = Service::start();
        ask_all_at_once(serve(layer()).await).await;
        let mut expected = CONNECTIONS;
        // An integration that outlives its telemetry uses the next one.
        if start % 20 == 0 {
            ask_all_at_once(lasting_address).await;
            expected += CONNECTIONS;
        }
        let arrived = tokio::task::spawn_blocking(|| service.end()).await.unwrap();
        assert_eq!(arrived, expected, "start {start}");
    }
}
