//! The console.

use std::io::Write;
use std::sync::{Arc, Mutex};

use azmon::Telemetry;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};

use crate::endpoint::{Endpoint, Script};
use crate::support::builder;

#[derive(Debug, Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn request(telemetry: &Telemetry) {
    let tracer = telemetry.tracer_provider().tracer("it");
    let mut span = tracer
        .span_builder("GET /orders/{id}")
        .with_kind(SpanKind::Server)
        .start(&tracer);
    span.set_attribute(KeyValue::new("http.response.status_code", 503));
    span.set_attribute(KeyValue::new("note", "two\nlines \u{1b}[31m"));
    span.set_status(Status::error(""));
    span.end();
}

#[test]
fn without_a_connection_string_everything_is_shown_one_line_each() {
    let shown = Shown::default();
    let telemetry = Telemetry::builder()
        .environment(|_| None)
        .console_writer(shown.clone())
        .standard_metrics(false)
        .install_globally(false)
        .build()
        .unwrap();
    assert!(telemetry.is_enabled());
    request(&telemetry);
    telemetry
        .meter_provider()
        .meter("it")
        .u64_counter("orders")
        .build()
        .add(3, &[]);
    telemetry.force_flush().unwrap();
    let lines = shown.lines();
    let [request, metric] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert!(
        request.contains("Z REQUEST       GET /orders/{id} 503 failed "),
        "{request}"
    );
    assert!(
        request.ends_with(r"{note=two\nlines \u{1b}[31m}"),
        "{request}"
    );
    assert!(
        metric.ends_with("Z CUSTOM_METRIC orders = 3, count 1"),
        "{metric}"
    );
}

#[test]
fn the_console_shows_the_items_that_the_endpoint_receives() {
    let endpoint = Endpoint::start([Script::Accept]);
    let shown = Shown::default();
    let telemetry = builder(endpoint.connection_string())
        .console_writer(shown.clone())
        .build()
        .unwrap();
    request(&telemetry);
    telemetry.force_flush().unwrap();
    assert_eq!(endpoint.received()[0].names(), ["GET /orders/{id}"]);
    assert_eq!(shown.lines().len(), 1);
}

#[test]
fn a_console_that_is_closed_stops_nothing() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .console_writer(Closed)
        .build()
        .unwrap();
    request(&telemetry);
    telemetry.force_flush().unwrap();
    assert_eq!(endpoint.received().len(), 1);
}
