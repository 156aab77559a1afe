//! OTLP in addition to Azure Monitor.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use azmon::{Telemetry, TelemetryBuilder};
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Link, SpanKind, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::endpoint::{Endpoint, Script};
use crate::support::{NEVER, builder, span};

const TIMEOUT: Duration = Duration::from_secs(10);

struct Export {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Export {
    /// Whether the body contains a text, which protocol buffers do not encode further.
    fn has(&self, text: &str) -> bool {
        self.body
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

/// A collector, and the exports that it receives.
fn collector() -> (String, Receiver<Export>) {
    async fn take(
        State(exports): State<Sender<Export>>,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) {
        let path = uri.path().to_owned();
        let _ = exports.send(Export {
            path,
            headers,
            body,
        });
    }
    let (exports, received) = channel();
    let address = serve(Router::new().fallback(take).with_state(exports));
    (address, received)
}

/// Serves on a thread of its own, which lives as long as the test binary.
fn serve(app: Router) -> String {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    format!("http://{address}")
}

fn work(telemetry: &Telemetry) {
    span(telemetry, "the work");
    telemetry
        .meter_provider()
        .meter("it")
        .u64_counter("the.orders")
        .build()
        .add(1, &[]);
    let mut record = telemetry.logger_provider().logger("it").create_log_record();
    record.set_body("the words".into());
    telemetry.logger_provider().logger("it").emit(record);
}

fn assert_arrives(builder: TelemetryBuilder, exports: &Receiver<Export>) {
    let telemetry = builder.build().unwrap();
    work(&telemetry);
    telemetry.force_flush().unwrap();
    let mut arrived: Vec<_> = exports.try_iter().collect();
    arrived.sort_by(|a, b| a.path.cmp(&b.path));
    let paths: Vec<_> = arrived.iter().map(|export| export.path.as_str()).collect();
    assert_eq!(paths, ["/v1/logs", "/v1/metrics", "/v1/traces"]);
    for (export, text) in arrived.iter().zip(["the words", "the.orders", "the work"]) {
        assert!(export.has(text), "{text}");
    }
    for export in &arrived {
        assert!(!export.headers.contains_key("traceparent"));
        assert!(export.has("service.name"));
    }
}

#[test]
fn one_call_sends_the_same_to_azure_and_to_a_collector() {
    let (collector, exports) = collector();
    let endpoint = Endpoint::start([Script::Accept]);
    assert_arrives(
        builder(endpoint.connection_string()).otlp_endpoint(collector),
        &exports,
    );
    let mut names = endpoint.received()[0].names();
    names.sort();
    assert_eq!(names, ["the words", "the work", "the.orders"]);
}

#[test]
fn the_variable_does_the_same_without_a_connection_string() {
    let (collector, exports) = collector();
    let builder = Telemetry::builder()
        .environment(move |name| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| collector.clone()))
        .service_name("it")
        .metric_interval(NEVER)
        .install_globally(false);
    assert_arrives(builder, &exports);
}

#[test]
fn an_unreachable_collector_costs_azure_nothing_and_is_logged() {
    let endpoint = Endpoint::start([Script::Accept]);
    let closed = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let telemetry = builder(endpoint.connection_string())
        .otlp_endpoint(nobody)
        .build()
        .unwrap();
    work(&telemetry);
    let error = telemetry.force_flush().unwrap_err();
    assert!(error.is_other_destination(), "{error}");
    let mut names = endpoint.received()[0].names();
    names.sort();
    assert_eq!(names, ["the words", "the work", "the.orders"]);
}

#[test]
fn a_shutdown_delivers_the_last_words_to_the_collector_too() {
    let (collector, exports) = collector();
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .otlp_endpoint(collector)
        .build()
        .unwrap();
    work(&telemetry);
    telemetry.shutdown(TIMEOUT).unwrap();
    let mut paths: Vec<_> = exports.try_iter().map(|export| export.path).collect();
    paths.sort();
    assert_eq!(paths, ["/v1/logs", "/v1/metrics", "/v1/traces"]);
    assert_eq!(endpoint.received()[0].envelopes.len(), 3);
}

/// The answer of a collector that always fails.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Refuses(StatusCode),
    NeverAnswers,
}

/// A collector that always fails, and the number of requests.
fn failing_collector(failure: Failure) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let answer = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            match failure {
                Failure::Refuses(status) => status,
                Failure::NeverAnswers => std::future::pending().await,
            }
        }
    };
    (serve(Router::new().fallback(answer)), asked)
}

#[test]
fn a_shutdown_in_an_outage_of_azure_still_serves_the_collector() {
    let (collector, exports) = collector();
    // The endpoint accepts connections, and never answers.
    let endpoint = Endpoint::start(vec![Script::Hold; 100]);
    let telemetry = builder(endpoint.connection_string())
        .otlp_endpoint(collector)
        .build()
        .unwrap();
    work(&telemetry);
    let start = Instant::now();
    let error = telemetry.shutdown(Duration::from_secs(2)).unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(2_500));
    let mut paths: Vec<_> = exports.try_iter().map(|export| export.path).collect();
    paths.sort();
    assert_eq!(paths, ["/v1/logs", "/v1/metrics", "/v1/traces"]);
    assert_eq!(error.report().unwrap().traces.dropped, 1);
}

#[test]
fn a_collector_that_persists_in_failing_costs_azure_nothing_at_the_end() {
    for failure in [
        Failure::Refuses(StatusCode::SERVICE_UNAVAILABLE),
        Failure::Refuses(StatusCode::BAD_REQUEST),
        Failure::NeverAnswers,
    ] {
        let (collector, asked) = failing_collector(failure);
        let endpoint = Endpoint::start(vec![Script::Accept; 10]);
        let telemetry = builder(endpoint.connection_string())
            .otlp_endpoint(collector)
            .build()
            .unwrap();
        work(&telemetry);
        let start = Instant::now();
        let error = telemetry.shutdown(Duration::from_secs(2)).unwrap_err();
        assert!(
            start.elapsed() < Duration::from_millis(2_500),
            "{failure:?}"
        );
        assert!(error.is_other_destination(), "{failure:?}: {error}");
        let report = error.report().unwrap();
        let sent = (report.traces.sent, report.logs.sent, report.metrics.sent);
        assert_eq!(sent, (1, 1, 1), "{failure:?}");
        let received = endpoint.received();
        let names = received.iter().flat_map(|received| received.names());
        assert_eq!(names.count(), 3, "{failure:?}");
        assert!(asked.load(Ordering::Relaxed) >= 3, "{failure:?}");
    }
}

#[test]
fn an_address_that_is_none_is_an_error() {
    let endpoint = Endpoint::start([]);
    let built = builder(endpoint.connection_string())
        .otlp_endpoint("not an address")
        .build();
    assert!(
        built.unwrap_err().to_string().contains("OTLP"),
        "the error says what it is about"
    );
}

#[test]
fn spans_that_are_recorded_but_not_sampled_are_not_exported() {
    let (collector, exports) = collector();
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .otlp_endpoint(collector)
        .sampler(RecordOnly)
        .build()
        .unwrap();
    work(&telemetry);
    telemetry.force_flush().unwrap();
    let paths: Vec<_> = exports.try_iter().map(|export| export.path).collect();
    assert!(!paths.iter().any(|path| path == "/v1/traces"), "{paths:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn it_is_built_used_and_dropped_inside_a_runtime() {
    let (collector, exports) = collector();
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .otlp_endpoint(collector)
        .build()
        .unwrap();
    work(&telemetry);
    drop(telemetry);
    assert_eq!(exports.try_iter().count(), 3);
    assert_eq!(endpoint.received()[0].envelopes.len(), 3);
}

#[derive(Debug, Clone)]
struct RecordOnly;

impl ShouldSample for RecordOnly {
    fn should_sample(
        &self,
        _parent: Option<&Context>,
        _trace_id: TraceId,
        _name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        SamplingResult {
            decision: SamplingDecision::RecordOnly,
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}
