//! Reads values, prints them, and sends a span for each to a forwarder: the program of OpenCensus' tutorial.
//!
//! ```text
//! azmon forward                                              # or: azmon portal
//! OCAGENT_TRACE_EXPORTER_ENDPOINT=localhost:55678 SERVICE_NAME=prompt cargo run -p azmon-examples --bin prompt
//! Enter a value: 4
//! 4
//! ```
//!
//! The endpoint must accept OTLP over gRPC: a forwarder's OpenCensus address, its OTLP address, or any collector.
//! Without the variable, spans go to `localhost:4317`.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, Write};

use opentelemetry::trace::{Span, SpanKind, Tracer, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

/// The environment variables of OpenCensus' tutorials, with their defaults.
const ENDPOINT: (&str, &str) = ("OCAGENT_TRACE_EXPORTER_ENDPOINT", "localhost:4317");
const SERVICE_NAME: (&str, &str) = ("SERVICE_NAME", "prompt");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let tracers = tracers(&variable(ENDPOINT), variable(SERVICE_NAME))?;
    tokio::task::spawn_blocking(move || {
        prompt(&tracers)?;
        tracers.shutdown()?;
        Ok(())
    })
    .await?
}

fn variable((name, default): (&str, &str)) -> String {
    let value = env::var(name).ok().filter(|value| !value.is_empty());
    value.unwrap_or_else(|| default.to_owned())
}

/// The endpoint is host and port, as in OpenCensus, or a URL.
fn tracers(
    endpoint: &str,
    service: String,
) -> Result<SdkTracerProvider, Box<dyn Error + Send + Sync>> {
    let url = match endpoint.contains("://") {
        true => endpoint.to_owned(),
        false => format!("http://{endpoint}"),
    };
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(url)
        .build()?;
    let resource = Resource::builder().with_service_name(service).build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}

/// A span for each line, until the input ends.
fn prompt(tracers: &SdkTracerProvider) -> io::Result<()> {
    let tracer = tracers.tracer("prompt");
    let (mut input, mut output) = (io::stdin().lock(), io::stdout());
    loop {
        let mut span = tracer
            .span_builder("test")
            .with_kind(SpanKind::Internal)
            .start(&tracer);
        write!(output, "Enter a value: ")?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(output)?;
            return Ok(());
        }
        writeln!(output, "{}", line.trim_end())?;
        span.end();
    }
}
