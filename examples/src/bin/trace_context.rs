//! A service for the [test suite of W3C Trace Context](https://github.com/w3c/trace-context/tree/main/test).
//!
//! `POST /test` takes a JSON array of `{"url", "arguments"}`. For each element it posts `arguments` as JSON to
//! `url`, with the headers that continue the trace of the request.
//!
//! ```text
//! cargo run -p azmon-examples --bin trace_context -- --listen 127.0.0.1:8080
//! python3 test/test.py http://127.0.0.1:8080/test
//! ```

use std::error::Error;
use std::net::SocketAddr;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use azmon_reqwest::TraceMiddleware;
use azmon_tower::ServerLayer;
use clap::Parser;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde::Deserialize;

#[derive(Debug, Parser)]
struct Arguments {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// One call that the suite requests.
#[derive(Debug, Deserialize)]
struct Call {
    url: String,
    arguments: serde_json::Value,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { listen } = Arguments::parse();
    let tracers = SdkTracerProvider::builder().build();
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(TraceMiddleware::new().tracer_provider(&tracers))
        .build();
    let app = Router::new()
        .route("/test", post(test))
        .with_state(client)
        .layer(ServerLayer::new().tracer_provider(&tracers));
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// Makes the calls one after another, as the suite expects. The suite itself detects failed calls.
async fn test(State(client): State<ClientWithMiddleware>, Json(calls): Json<Vec<Call>>) {
    for Call { url, arguments } in calls {
        if let Ok(response) = client.post(url).json(&arguments).send().await {
            let _ = response.bytes().await;
        }
    }
}
