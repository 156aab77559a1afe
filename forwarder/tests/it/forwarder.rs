//! A whole forwarder, from real sockets to an ingestion endpoint.

use std::net::SocketAddr;
use std::time::Duration;

use azmon::Storage;
use azmon::envelope::{Data, Envelope};
use azmon_forwarder::config::{ForwarderConfig, InputKind};
use azmon_forwarder::operation::{health_router, metrics_text, statistics_lines};
use azmon_forwarder::{Forwarder, StartError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tonic::Code;
use tonic::transport::Channel;

use crate::endpoint::Endpoint;
use crate::support::{http_server, name};

pub(crate) const ANY: &str = "127.0.0.1:0";

pub(crate) fn config(endpoint: &Endpoint, toml: &str) -> ForwarderConfig {
    let mut config = ForwarderConfig::from_toml("test.toml", toml).unwrap();
    config.set_default_connection_string(endpoint.connection_string());
    config.storage = Storage::off();
    config.drain = Duration::from_secs(20);
    config
}

pub(crate) fn address(forwarder: &Forwarder, kind: InputKind) -> SocketAddr {
    let addresses = forwarder.addresses();
    let found = addresses.iter().find(|(one, _)| *one == kind);
    found.unwrap_or_else(|| panic!("{addresses:?}")).1
}

pub(crate) async fn client(forwarder: &Forwarder) -> TraceServiceClient<Channel> {
    let address = address(forwarder, InputKind::OtlpGrpc);
    TraceServiceClient::connect(format!("http://{address}"))
        .await
        .unwrap()
}

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

pub(crate) fn span(number: u64, name: &str, attributes: Vec<KeyValue>) -> Span {
    Span {
        // The ids look random: the hash of sampling hardly distinguishes consecutive numbers.
        trace_id: u128::from(number + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .to_be_bytes()
            .to_vec(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: name.to_owned(),
        kind: SpanKind::Server as i32,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_100_000_000,
        attributes,
        ..Span::default()
    }
}

pub(crate) fn message(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text("service.name", service), text("team", "red")],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// A text that compresses badly.
fn noise(seed: u64) -> String {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{state:016x}")
    };
    std::iter::repeat_with(next).take(100).collect()
}

pub(crate) fn is_request(envelope: &Envelope<'_>) -> bool {
    matches!(envelope.data, Data::Request(_))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarder_that_cannot_send_tells_its_clients_and_holds_a_bounded_queue() {
    let endpoint = Endpoint::start().await;
    endpoint.fall_silent();
    let mut config = config(&endpoint, "[inputs]\notlp-grpc = \"127.0.0.1:0\"");
    config.drain = Duration::ZERO;
    config.standard_metrics = false;
    let forwarder = Forwarder::start(config).await.unwrap();
    let mut client = client(&forwarder).await;
    let mut taken = 0;
    let spans = (0..1_000).map(|number| span(number, "x", vec![text("noise", &noise(number))]));
    let full = message("shop", spans.collect());
    let refused = loop {
        match client.export(full.clone()).await {
            Ok(_) => taken += 1_000,
            Err(status) => break status,
        }
        assert!(taken < 300_000, "nothing was refused");
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let counts = forwarder.counts();
    assert!(counts.destinations[0].waiting <= 65_536, "{counts:?}");
    assert_eq!(counts.destinations[0].accepted, taken);
    assert_eq!(counts.bytes_in_flight, 0);
    assert_eq!(counts.inputs[0].counts.batches_failed, 1);
    forwarder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_configuration_is_used_without_a_break_and_a_bad_one_is_not() {
    let (first, second) = (Endpoint::start().await, Endpoint::start().await);
    let grpc = "[inputs]\notlp-grpc = \"127.0.0.1:0\"\n";
    let mut forwarder = Forwarder::start(config(&first, grpc)).await.unwrap();
    let mut client = client(&forwarder).await;
    client
        .export(message("a", vec![span(1, "first", Vec::new())]))
        .await
        .unwrap();
    let before = address(&forwarder, InputKind::OtlpGrpc);

    let rules = format!("{grpc}opencensus = \"127.0.0.1:0\"\n[[exclude]]\nname = \"second\"");
    forwarder.reload(config(&second, &rules)).await.unwrap();
    assert_eq!(address(&forwarder, InputKind::OtlpGrpc), before);
    assert_eq!(forwarder.addresses().len(), 2);
    // The connection is unchanged.
    let spans = vec![span(2, "second", Vec::new()), span(3, "third", Vec::new())];
    client.export(message("a", spans)).await.unwrap();
    let got = second.wait_for(1, is_request).await;
    assert_eq!(got.iter().map(name).collect::<Vec<_>>(), ["third"]);
    first.wait_for(1, is_request).await;

    let taken = tokio::net::TcpListener::bind(ANY).await.unwrap();
    let clash = format!("[inputs]\notlp-http = \"{}\"", taken.local_addr().unwrap());
    let refused = forwarder.reload(config(&first, &clash)).await.unwrap_err();
    assert!(matches!(refused, StartError::Listen { .. }), "{refused}");
    let refused = forwarder.reload(config(&first, "")).await.unwrap_err();
    assert!(matches!(refused, StartError::Config(_)), "{refused}");
    client
        .export(message("a", vec![span(4, "fourth", Vec::new())]))
        .await
        .unwrap();
    second.wait_for(2, is_request).await;

    // A removed input is closed.
    let only = "[inputs]\nopencensus = \"127.0.0.1:0\"\n";
    forwarder.reload(config(&second, only)).await.unwrap();
    let refused = client
        .export(message("a", vec![span(5, "fifth", Vec::new())]))
        .await;
    assert!(refused.is_err());
    forwarder.shutdown().await;
}

#[tokio::test]
async fn an_address_that_is_taken_stops_the_whole_start() {
    let endpoint = Endpoint::start().await;
    let taken = tokio::net::TcpListener::bind(ANY).await.unwrap();
    let address = taken.local_addr().unwrap();
    let toml = format!("[inputs]\notlp-grpc = \"127.0.0.1:0\"\nopencensus = \"{address}\"");
    let error = Forwarder::start(config(&endpoint, &toml))
        .await
        .unwrap_err();
    let expected = format!("the OpenCensus input cannot listen on {address}: ");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_and_health_report_the_counts() {
    let endpoint = Endpoint::start().await;
    let toml = "[inputs]\notlp-grpc = \"127.0.0.1:0\"\nopencensus = \"127.0.0.1:0\"";
    let forwarder = Forwarder::start(config(&endpoint, toml)).await.unwrap();
    let mut client = client(&forwarder).await;
    client
        .export(message("a", vec![span(1, "x", Vec::new())]))
        .await
        .unwrap();
    let lines = statistics_lines(&forwarder.counts());
    let zero = "BatchesFailed: 0, ConfigsReceived: 0, ConfigsFailed: 0]";
    assert_eq!(
        lines[0],
        format!("OpenCensus input: [ConnectionCount: 0, BatchesReceived: 0, {zero}")
    );
    assert_eq!(
        lines[1],
        format!("OTLP gRPC input: [ConnectionCount: 1, BatchesReceived: 1, {zero}")
    );
    assert!(
        lines[2].starts_with("Destination default: [Accepted: 1, Waiting: "),
        "{lines:?}"
    );
    assert_eq!(lines[3], "Left out: [Excluded: 0, SampledOut: 0]");
    let text = metrics_text(&forwarder.counts());
    let line = "azmon_forwarder_batches_total{input=\"otlp-grpc\",result=\"received\"} 1";
    assert!(text.lines().any(|one| one == line), "{text}");

    let watch = forwarder.watch();
    let health = http_server(health_router(move || Some(watch.counts()))).await;
    for (path, part) in [
        ("livez", "ok"),
        ("readyz", "ok"),
        (
            "metrics",
            "azmon_forwarder_accepted_total{destination=\"default\"} 1",
        ),
    ] {
        let answer = reqwest::get(format!("http://{health}/{path}"))
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert!(answer.text().await.unwrap().contains(part), "{path}");
    }
    forwarder.shutdown().await;
    let answer = reqwest::get(format!("http://{health}/readyz"))
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    let ending = http_server(health_router(|| None)).await;
    let answer = reqwest::get(format!("http://{ending}/readyz"))
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 503);
}
