//! A service for the [test suite of W3C Trace Context](https://github.com/w3c/trace-context/tree/main/test).
//!
//! `POST /test` takes a JSON array of `{"url", "arguments"}`. For each of them it posts `arguments` as JSON to
//! `url`, with the headers that continue the trace of the request.
//!
//! ```text
//! cargo run -p azmon-examples --bin trace_context -- --listen 127.0.0.1:8080
//! python3 test/test.py http://127.0.0.1:8080/test
//! ```

use std::error::Error;
use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use azmon::instrument::propagation;
use azmon_tower::ServerLayer;
use clap::Parser;
use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use serde::Deserialize;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// One request that the suite wants to see.
#[derive(Debug, Deserialize)]
struct Call {
    url: String,
    arguments: serde_json::Value,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { listen } = Arguments::parse();
    let tracers = SdkTracerProvider::builder().build();
    let caller = Caller {
        http: reqwest::Client::new(),
        tracer: tracers.tracer("trace_context"),
    };
    let app = Router::new()
        .route("/test", post(test))
        .with_state(caller)
        .layer(ServerLayer::new().tracer_provider(&tracers));
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// Makes one call after the other, as the suite expects.
async fn test(
    State(caller): State<Caller>,
    Json(calls): Json<Vec<Call>>,
) -> Result<(), (StatusCode, String)> {
    for call in calls {
        caller
            .send(call)
            .await
            .map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    }
    Ok(())
}

#[derive(Debug, Clone)]
struct Caller {
    http: reqwest::Client,
    tracer: SdkTracer,
}

impl Caller {
    /// Each call has a span of its own, inside of the request's.
    async fn send(&self, call: Call) -> Result<(), reqwest::Error> {
        let span = self.tracer.span_builder("POST").with_kind(SpanKind::Client);
        let context = Context::current_with_span(self.tracer.build(span));
        let mut request = self.http.post(call.url).json(&call.arguments).build()?;
        propagation::inject(&context, request.headers_mut());
        let result = self.http.execute(request).await;
        context.span().end();
        result?.error_for_status()?;
        Ok(())
    }
}
