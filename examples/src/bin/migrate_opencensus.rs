//! The program of the OpenCensus documentation for Python, in Rust: it reads values, and sends a span, a metric
//! and a log record for each.
//!
//! ```text
//! cargo run -p azmon-portal -- portal
//! APPLICATIONINSIGHTS_CONNECTION_STRING='…' cargo run -p azmon-examples --bin migrate_opencensus
//! ```

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::time::Duration;

use azmon::Telemetry;
use opentelemetry::global;
use opentelemetry::trace::Tracer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> Result<(), Box<dyn Error>> {
    // Replaces AzureExporter(..), metrics_exporter.new_metrics_exporter(..) and AzureLogHandler(..).
    let telemetry = Telemetry::builder()
        .service_name("python-service") // the role's name, which OpenCensus took from the program's
        .sampling_ratio(1.0) // ProbabilitySampler(1.0)
        .metric_interval(Duration::from_secs(15)) // export_interval
        .build()?;
    // logger.addHandler(..)
    tracing_subscriber::registry()
        .with(telemetry.tracing_layer())
        .init();

    while value_prompt()? {}

    telemetry.shutdown(Duration::from_secs(5))?; // grace_period
    Ok(())
}

/// Returns false at the end of the input.
#[expect(clippy::print_stdout, reason = "the program talks to a person")]
fn value_prompt() -> Result<bool, Box<dyn Error>> {
    // with tracer.span(name="test")
    global::tracer("migrate_opencensus").in_span("test", |_| {
        print!("Enter a value: ");
        stdout().flush()?;
        let mut line = String::new();
        if stdin().read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let line = line.trim_end();
        println!("{line}");
        // mmap.measure_int_put(prompt_measure, 1)
        let meter = global::meter("migrate_opencensus");
        meter.u64_counter("prompts").build().add(1, &[]);
        // logger.warning(line)
        tracing::warn!("{line}");
        Ok(true)
    })
}
