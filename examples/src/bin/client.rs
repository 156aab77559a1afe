//! Calls URLs, and records each attempt as a dependency of one operation.
//!
//! ```text
//! cargo run -p azmon-portal -- portal
//! APPLICATIONINSIGHTS_CONNECTION_STRING='…' cargo run -p azmon-examples --bin client -- https://example.com
//! ```

use std::error::Error;
use std::time::Duration;

use azmon::Telemetry;
use azmon_reqwest::TraceMiddleware;
use clap::Parser;
use opentelemetry::trace::{FutureExt, TraceContextExt, Tracer};
use opentelemetry::{Context, global};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;

#[derive(Debug, Parser)]
struct Arguments {
    /// The URLs to call, one after another.
    #[arg(required = true)]
    urls: Vec<String>,
    /// The maximum number of retries of a transient failure.
    #[arg(long, default_value_t = 2)]
    retries: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { urls, retries } = Arguments::parse();
    let telemetry = Telemetry::builder().service_name("client").build()?;
    let retries = ExponentialBackoff::builder().build_with_max_retries(retries);
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(RetryTransientMiddleware::new_with_policy(retries))
        .with(TraceMiddleware::new())
        .build();
    let operation = Context::current_with_span(global::tracer("client").start("calls"));
    call_all(&client, &urls)
        .with_context(operation.clone())
        .await;
    operation.span().end();
    telemetry.shutdown(Duration::from_secs(5))?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a person at a terminal asked for")]
async fn call_all(client: &ClientWithMiddleware, urls: &[String]) {
    for url in urls {
        match call(client, url).await {
            Ok(answer) => println!("{url}: {answer}"),
            Err(error) => println!("{url}: {}", error.without_url()),
        }
    }
}

/// The dependency ends with the body, so the body is read.
async fn call(client: &ClientWithMiddleware, url: &str) -> reqwest_middleware::Result<String> {
    let response = client.get(url).send().await?;
    let status = response.status();
    let body = response.bytes().await?;
    Ok(format!("{status}, {} bytes", body.len()))
}
