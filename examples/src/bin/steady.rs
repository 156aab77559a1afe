//! Ends spans at a steady rate, and reports their fate: for tests with outages, restarts and kills.
//!
//! ```text
//! APPLICATIONINSIGHTS_CONNECTION_STRING='…' cargo run -p azmon-examples --bin steady -- \
//!     --rate 1000 --seconds 60 --storage /tmp/steady --ids /tmp/steady.ids
//! {"ended":60000,"sent":60000,"stored":0,"dropped":0}
//! ```
//!
//! The spans are requests with the attribute `n`, which counts from 0. Once a span has ended, its `n` is appended
//! to the file of ids. The sum of `sent`, `stored` and `dropped` always equals `ended`.

use std::cell::Cell;
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use azmon::{SignalReport, Storage, Telemetry};
use clap::Parser;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, SpanKind, Tracer, TracerProvider};

/// The time limit of the shutdown.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// The interval of ending spans. All spans that are due end together, so any rate is possible.
const TICK: Duration = Duration::from_millis(5);

#[derive(Debug, Parser)]
struct Arguments {
    /// Spans per second.
    #[arg(long)]
    rate: u32,
    /// Duration in seconds.
    #[arg(long)]
    seconds: f64,
    /// Write all telemetry to disk before it is sent.
    #[arg(long)]
    durable: bool,
    /// Directory of unsent telemetry. Defaults to the user's cache directory.
    #[arg(long)]
    storage: Option<PathBuf>,
    /// A file to which the number of every ended span is appended.
    #[arg(long)]
    ids: Option<PathBuf>,
    /// Wait for a termination signal before the shutdown.
    #[arg(long)]
    hold: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let storage = arguments.storage.as_ref().map(Storage::at);
    let telemetry = Telemetry::builder()
        .service_name("steady")
        .storage(storage.unwrap_or_default().durable(arguments.durable))
        .build()?;
    // Installed at the start, so that a signal always leads to a shutdown.
    let told_to_end = told_to_end();
    tokio::pin!(told_to_end);
    let ended = Cell::new(0);
    tokio::select! {
        done = end_spans(&telemetry, &arguments, &ended) => {
            done?;
            if arguments.hold {
                (&mut told_to_end).await;
            }
        }
        () = &mut told_to_end => {}
    }
    // The numbers contain everything that an error would say.
    let _ = telemetry.shutdown(SHUTDOWN);
    print(ended.get(), &telemetry.statistics().traces)?;
    Ok(())
}

/// Ends the spans, and counts them.
async fn end_spans(
    telemetry: &Telemetry,
    arguments: &Arguments,
    ended: &Cell<u64>,
) -> std::io::Result<()> {
    let tracer = telemetry.tracer_provider().tracer("steady");
    let mut ids = arguments.ids.as_ref().map(open).transpose()?;
    let rate = f64::from(arguments.rate);
    let total = (rate * arguments.seconds).round() as u64;
    let start = Instant::now();
    while ended.get() < total {
        let due = (start.elapsed().as_secs_f64() * rate) as u64 + 1;
        while ended.get() < due.min(total) {
            let n = ended.get();
            let mut span = tracer
                .span_builder("steady")
                .with_kind(SpanKind::Server)
                .with_attributes([KeyValue::new("n", n as i64)])
                .start(&tracer);
            span.end();
            ended.set(n + 1);
            if let Some(ids) = &mut ids {
                // One line at a time: a kill must not leave the number of a span that has not ended.
                ids.write_all(format!("{n}\n").as_bytes())?;
            }
        }
        tokio::time::sleep(TICK).await;
    }
    Ok(())
}

fn open(path: &PathBuf) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[expect(clippy::print_stdout, reason = "the one line that a caller reads")]
fn print(ended: u64, traces: &SignalReport) -> Result<(), serde_json::Error> {
    let SignalReport {
        sent,
        stored,
        dropped,
        ..
    } = *traces;
    let line = serde_json::json!({
        "ended": ended,
        "sent": sent,
        "stored": stored,
        "dropped": dropped,
    });
    println!("{}", serde_json::to_string(&line)?);
    Ok(())
}

/// Waits for SIGTERM or SIGINT; on other systems for Ctrl-C.
#[cfg(unix)]
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn told_to_end() {
    drop(tokio::signal::ctrl_c().await);
}
