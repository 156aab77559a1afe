//! `azmon forward` under a steady load that its destination cannot keep up with, killed, and started again.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tonic::Code;

use crate::forward::{Endpoint, Running, file};

/// A minute with optimisations, a few seconds without.
const SECONDS: u64 = if cfg!(debug_assertions) { 4 } else { 60 };
const SPANS_PER_SECOND: u64 = 20_000;
const SPANS: u64 = 1_000;
const MESSAGES: u64 = SECONDS * SPANS_PER_SECOND / SPANS;

/// The destination answers one request for this many messages, and so falls behind.
const MESSAGES_PER_ANSWER: u64 = 8;

/// 64 MiB of messages, 64 MiB of items that wait, as much again of batches that are written and sent, and the program.
const MEMORY: u64 = 400 << 20;

fn message(number: u64) -> ExportTraceServiceRequest {
    let spans = (number * SPANS..(number + 1) * SPANS).map(|span| Span {
        trace_id: u128::from(span + 1).to_be_bytes().to_vec(),
        span_id: (span + 1).to_be_bytes().to_vec(),
        name: format!("span {span}"),
        kind: SpanKind::Client as i32,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_100_000_000,
        ..Span::default()
    });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: spans.collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// Sends messages at the rate, each until it is accepted.
async fn load(address: String, endpoint: Endpoint) {
    let client = TraceServiceClient::connect(format!("http://{address}")).await;
    let mut client = client.unwrap();
    let period = Duration::from_secs(1) * SPANS as u32 / SPANS_PER_SECOND as u32;
    let mut ticks = tokio::time::interval(period);
    for number in 0..MESSAGES {
        ticks.tick().await;
        loop {
            match client.export(message(number)).await {
                Ok(_) => break,
                Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status}"),
            }
            ticks.tick().await;
        }
        if number % MESSAGES_PER_ANSWER == 0 {
            endpoint.answer();
        }
    }
}

/// The most memory that a process has held, in bytes.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() * 1_024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_accepted_under_load_survive_kill_9_and_memory_stays_bounded() {
    let endpoint = Endpoint::start_slow();
    let folder = file("forward-load", "");
    let folder = folder.parent().unwrap();
    let text = format!(
        "[inputs]\notlp-grpc = \"127.0.0.1:0\"\nopencensus = \"127.0.0.1:0\"\n[destinations.default]\n\
         connection-string = \"{}\"\n[storage]\ndirectory = \"{}\"\ndurable = true\nmax-megabytes = 1000\n",
        endpoint.connection_string(),
        folder.join("storage").display()
    );
    let file = folder.join("forwarder.toml");
    fs::write(&file, text).unwrap();
    let running = Running::start(&["--config", file.to_str().unwrap()]);
    let (mut otlp, mut opencensus) = (None, None);
    while otlp.is_none() || opencensus.is_none() {
        let line = running.says(" input listens on ");
        let address = line.rsplit(' ').next().unwrap().to_owned();
        match line.contains("OTLP") {
            true => otlp = Some(address),
            false => opencensus = Some(address),
        }
    }
    let load = tokio::spawn(load(otlp.unwrap(), endpoint.clone()));
    // Clients of another input that send rubbish and go.
    for _ in 0..100 {
        let mut stream = TcpStream::connect(opencensus.as_ref().unwrap()).unwrap();
        let _ = stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff");
    }
    load.await.unwrap();
    let memory = peak_memory(running.child.id());
    running.signal("KILL");
    drop(running);
    assert!(memory < MEMORY, "{} MB", memory >> 20);

    endpoint.answer_all();
    let _again = Running::start(&["--config", file.to_str().unwrap()]);
    let spans = (MESSAGES * SPANS) as usize;
    endpoint.wait_until(
        |names| {
            names.len() >= spans && (0..spans).all(|span| names.contains(&format!("span {span}")))
        },
        "every span",
    );
}
