//! A gRPC server and its client: each call is a dependency of the client and a request of the server, in one trace.
//!
//! ```text
//! cargo run -p azmon-portal -- portal
//! APPLICATIONINSIGHTS_CONNECTION_STRING='…' cargo run -p azmon-examples --bin tonic
//! ```

use std::error::Error;
use std::time::Duration;

use azmon::Telemetry;
use azmon_tower::{ClientLayer, ServerLayer};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower_layer::Layer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = Telemetry::builder().service_name("tonic").build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(serve(listener));
    ask(&url).await?;
    telemetry.shutdown(Duration::from_secs(5))?;
    Ok(())
}

async fn serve(listener: TcpListener) -> Result<(), tonic::transport::Error> {
    let (_, health) = tonic_health::server::health_reporter();
    Server::builder()
        .layer(ServerLayer::new())
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(listener))
        .await
}

#[expect(clippy::print_stdout, reason = "the program talks to a person")]
async fn ask(url: &str) -> Result<(), Box<dyn Error>> {
    let channel = Channel::from_shared(url.to_owned())?.connect_lazy();
    // The requests of a channel do not contain their host.
    let layer = ClientLayer::new().base_url(url.parse()?);
    let mut client = HealthClient::new(layer.layer(channel));
    for service in ["", "unknown"] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        match client.check(request).await {
            Ok(response) => println!("{service:?}: {:?}", response.into_inner().status()),
            Err(status) => println!("{service:?}: {:?}", status.code()),
        }
    }
    Ok(())
}
