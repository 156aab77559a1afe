//! The OpenCensus agent's services, as a client sees them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, Envelope, MetricPoint, tags};
use azmon_forwarder::inputs::{Limits, OpenCensusInput, OpenCensusOptions};
use azmon_forwarder::proto::opencensus::proto::agent::common::v1::{
    LibraryInfo, Node, ProcessIdentifier, ServiceInfo, library_info,
};
use azmon_forwarder::proto::opencensus::proto::agent::metrics::v1 as metrics;
use azmon_forwarder::proto::opencensus::proto::agent::metrics::v1::metrics_service_client::MetricsServiceClient;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1 as traces;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::trace_service_client::TraceServiceClient;
use azmon_forwarder::proto::opencensus::proto::trace::v1 as oc;
use azmon_forwarder::proto::opencensus::proto::trace::v1::trace_config;
use azmon_forwarder::sink::Refusal;
use prost::Message;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::support::{Kept, grpc_server, name, named, property, tag};

const GOLDEN: &str = include_str!("../data/opencensus/ocagent.json");

/// The golden messages were made on 20 November 2026.
const BEFORE_GOLDEN: u64 = 1_790_000_000;

pub(crate) async fn serve(
    sink: &Arc<Kept>,
    options: OpenCensusOptions,
) -> (Channel, OpenCensusInput) {
    let input = OpenCensusInput::new(sink.clone(), options);
    let budget = input.budget().clone();
    let address = grpc_server(input.grpc_routes(), Limits::default(), budget).await;
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    (channel.connect().await.unwrap(), input)
}

/// The bytes of the golden messages of a method.
fn golden(rpc: &str) -> Vec<Vec<u8>> {
    let messages: Vec<Value> = serde_json::from_str(GOLDEN).unwrap();
    let bytes = |hex: &str| {
        let pairs = hex.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    let of_rpc = messages.iter().filter(|message| message["rpc"] == rpc);
    of_rpc
        .map(|message| bytes(message["hex"].as_str().unwrap()))
        .collect()
}

fn decoded<T: Message + Default>(rpc: &str) -> Vec<T> {
    let messages = golden(rpc).into_iter();
    messages
        .map(|bytes| T::decode(bytes.as_slice()).unwrap())
        .collect()
}

async fn export(channel: &Channel, messages: Vec<traces::ExportTraceServiceRequest>) {
    let mut client = TraceServiceClient::new(channel.clone());
    let answers = client.export(tokio_stream::iter(messages)).await.unwrap();
    // The response is empty.
    assert!(answers.into_inner().message().await.unwrap().is_none());
}

fn point<'a>(envelopes: &'a [Envelope<'static>], wanted: &str) -> &'a MetricPoint<'static> {
    match &named(envelopes, wanted).data {
        Data::Metric(data) => &data.metrics[0],
        other => panic!("{other:?}"),
    }
}

pub(crate) fn node(service: &str) -> Node {
    Node {
        identifier: Some(ProcessIdentifier {
            host_name: "host-1".to_owned(),
            pid: 42,
            start_timestamp: Some(SystemTime::UNIX_EPOCH.into()),
        }),
        library_info: Some(LibraryInfo {
            language: library_info::Language::GoLang as i32,
            exporter_version: "0.0.1".to_owned(),
            core_library_version: "0.11.4".to_owned(),
        }),
        service_info: Some(ServiceInfo {
            name: service.to_owned(),
        }),
        attributes: [("zone".to_owned(), "a".to_owned())].into(),
    }
}

fn span(id: u8, name: &str) -> oc::Span {
    oc::Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        name: Some(oc::TruncatableString {
            value: name.to_owned(),
            truncated_byte_count: 0,
        }),
        ..oc::Span::default()
    }
}

fn message(node: Option<Node>, spans: Vec<oc::Span>) -> traces::ExportTraceServiceRequest {
    traces::ExportTraceServiceRequest {
        node,
        spans,
        resource: None,
    }
}

#[tokio::test]
async fn the_golden_messages_are_read() {
    let sink = Arc::new(Kept::default());
    let (channel, input) = serve(&sink, OpenCensusOptions::default()).await;
    let messages = decoded::<traces::ExportTraceServiceRequest>("TraceService/Export");
    // The client opens a stream for every span.
    for message in messages {
        export(&channel, vec![message]).await;
    }
    let envelopes = sink.envelopes();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for envelope in &envelopes {
        assert_eq!(tag(envelope, tags::OPERATION_ID), Some(trace));
        assert_eq!(tag(envelope, tags::CLOUD_ROLE), Some("python-service"));
        assert_eq!(
            tag(envelope, tags::CLOUD_ROLE_INSTANCE),
            Some("golden-host.15613")
        );
        let sdk = tag(envelope, tags::INTERNAL_SDK_VERSION);
        assert_eq!(sdk, Some("lf_python-oc:0.11.4"));
    }
    let call = named(&envelopes, "POST /stock");
    let Data::RemoteDependency(data) = &call.data else {
        panic!("{call:?}")
    };
    assert_eq!(data.id, "4b513ec931669742");
    assert_eq!(data.result_code.as_deref(), Some("503"));
    assert_eq!(data.target.as_deref(), Some("stock.local:9000"));
    assert_eq!(data.data.as_deref(), Some("http://stock.local:9000/stock"));
    assert_eq!(data.dependency_type.as_deref(), Some("Http"));
    assert!(!data.success);
    assert_eq!(property(call, "statusDescription"), Some("unavailable"));
    assert_eq!(property(call, "foo"), Some("1"));
    assert_eq!(
        tag(call, tags::OPERATION_PARENT_ID),
        Some("609173571ddbac32")
    );

    let query = named(&envelopes, "mysql.query");
    let Data::RemoteDependency(data) = &query.data else {
        panic!("{query:?}")
    };
    assert_eq!(data.data.as_deref(), Some("SELECT 1"));
    assert_eq!(data.dependency_type.as_deref(), Some("mysql"));
    assert!(data.success);

    let inside = named(&envelopes, "compute");
    let Data::RemoteDependency(data) = &inside.data else {
        panic!("{inside:?}")
    };
    assert_eq!(data.dependency_type.as_deref(), Some("InProc"));
    let failed = named(&envelopes, "boom");
    assert!(matches!(&failed.data, Data::RemoteDependency(data) if !data.success));
    assert_eq!(property(failed, "statusDescription"), Some("bad thing"));

    let requests = envelopes
        .iter()
        .filter(|one| matches!(one.data, Data::Request(_)));
    let [request] = requests.collect::<Vec<_>>()[..] else {
        panic!("{envelopes:#?}")
    };
    assert_eq!(
        tag(request, tags::OPERATION_PARENT_ID),
        Some("00f067aa0ba902b7")
    );
    assert_eq!(tag(request, tags::OPERATION_NAME), Some(name(request)));
    let counts = input.statistics().counts();
    assert_eq!((counts.batches_received, counts.batches_failed), (5, 0));
}

#[tokio::test]
async fn a_library_that_samples_is_configured_to_keep_everything() {
    let sink = Arc::new(Kept::default());
    let (channel, input) = serve(&sink, OpenCensusOptions::default()).await;
    let mut messages = decoded::<traces::CurrentLibraryConfig>("TraceService/Config");
    let mut client = TraceServiceClient::new(channel);
    let (sender, receiver) = mpsc::channel(2);
    sender.send(messages.remove(0)).await.unwrap();
    let answers = client.config(ReceiverStream::new(receiver)).await.unwrap();
    let mut answers = answers.into_inner();
    // The answer comes while the stream is open.
    let update = answers.message().await.unwrap().unwrap();
    let config = update.config.unwrap();
    let all = trace_config::Sampler::ConstantSampler(oc::ConstantSampler { decision: 1 });
    assert_eq!(config.sampler, Some(all));
    // A library that keeps all spans already receives no update.
    let told = traces::CurrentLibraryConfig {
        node: None,
        config: Some(config),
    };
    sender.send(told).await.unwrap();
    drop(sender);
    assert!(answers.message().await.unwrap().is_none());
    assert_eq!(input.statistics().counts().configs_received, 2);
}

#[tokio::test]
async fn the_golden_metrics_become_increments() {
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(BEFORE_GOLDEN);
    let sink = Arc::new(Kept::default());
    let (channel, _) = serve(&sink, OpenCensusOptions::default().started(started)).await;
    let messages = decoded::<metrics::ExportMetricsServiceRequest>("MetricsService/Export");
    let mut client = MetricsServiceClient::new(channel);
    let answers = client.export(tokio_stream::iter(messages)).await.unwrap();
    assert!(answers.into_inner().next().await.is_none());
    // The second message repeats the totals of the first.
    let envelopes = sink.envelopes();
    let distribution = point(&envelopes, "lat_dist");
    assert_eq!((distribution.value, distribution.count), (12.5, Some(1)));
    assert_eq!(
        (distribution.min, distribution.max),
        (Some(10.0), Some(100.0))
    );
    let envelope = named(&envelopes, "lat_dist");
    assert_eq!(property(envelope, "method"), Some("GET"));
    assert_eq!(tag(envelope, tags::CLOUD_ROLE), Some("python-service"));
    assert_eq!(point(&envelopes, "lat_cnt").value, 1.0);
}

#[tokio::test]
async fn a_message_without_a_node_has_that_of_its_stream_else_that_of_its_connection() {
    let sink = Arc::new(Kept::default());
    let (channel, _) = serve(&sink, OpenCensusOptions::default()).await;
    let first = vec![
        message(Some(node("first")), vec![span(1, "a")]),
        message(None, vec![span(2, "b")]),
    ];
    export(&channel, first).await;
    export(&channel, vec![message(None, vec![span(3, "c")])]).await;
    export(
        &channel,
        vec![message(Some(node("second")), vec![span(4, "d")])],
    )
    .await;
    let envelopes = sink.envelopes();
    for (name, role) in [
        ("a", "first"),
        ("b", "first"),
        ("c", "first"),
        ("d", "second"),
    ] {
        let role_of = tag(named(&envelopes, name), tags::CLOUD_ROLE);
        assert_eq!(role_of, Some(role), "{name}");
    }
    let zone = ("zone".to_owned(), "a".to_owned());
    assert!(sink.deliveries()[0].batches[0].resource.contains(&zone));
}

#[tokio::test]
async fn nodes_make_events_only_if_asked_for() {
    for asked in [false, true] {
        let sink = Arc::new(Kept::default());
        let options = OpenCensusOptions::default().node_events(asked);
        let (channel, _) = serve(&sink, options).await;
        export(&channel, vec![message(Some(node("x")), vec![span(1, "a")])]).await;
        let envelopes = sink.envelopes();
        assert_eq!(envelopes.len(), if asked { 2 } else { 1 });
        if asked {
            let event = named(&envelopes, "Export.node");
            assert_eq!(property(event, "oc_exporter_version"), Some("0.0.1"));
            assert_eq!(
                property(event, "process_start_ts"),
                Some("1970-01-01T00:00:00Z")
            );
            assert_eq!(property(event, "zone"), Some("a"));
            assert!(property(event, "peer").is_some_and(|peer| peer.starts_with("127.0.0.1:")));
            assert_eq!(tag(event, tags::CLOUD_ROLE_INSTANCE), Some("host-1.42"));
            assert_eq!(
                tag(event, tags::INTERNAL_SDK_VERSION),
                Some("lf_go-oc:0.11.4")
            );
        }
    }
}

#[tokio::test]
async fn a_stream_waits_while_there_is_no_room_and_nothing_is_there_twice() {
    let busy = || {
        Err(Refusal::Busy {
            retry_after: Duration::from_millis(5),
        })
    };
    let sink = Kept::scripted([busy(), busy(), busy()]);
    let (channel, input) = serve(&sink, OpenCensusOptions::default()).await;
    let messages = vec![
        message(Some(node("x")), vec![span(1, "a")]),
        message(None, vec![span(2, "b")]),
    ];
    export(&channel, messages).await;
    let envelopes = sink.envelopes();
    assert_eq!(envelopes.iter().map(name).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(input.statistics().counts().batches_received, 2);
    assert_eq!(input.budget().taken(), 0);
}

#[tokio::test]
async fn a_stream_that_breaks_leaves_the_others() {
    let sink = Arc::new(Kept::default());
    let (channel, input) = serve(&sink, OpenCensusOptions::default()).await;
    let mut client = TraceServiceClient::new(channel.clone());
    let (sender, receiver) = mpsc::channel(4);
    let answers = client.export(ReceiverStream::new(receiver)).await.unwrap();
    let mut answers = answers.into_inner();
    sender
        .send(message(Some(node("good")), vec![span(1, "a")]))
        .await
        .unwrap();
    let large = span(2, &"x".repeat(5 << 20));
    let mut other = TraceServiceClient::new(channel.clone());
    let broken = other
        .export(tokio_stream::iter([message(None, vec![large])]))
        .await
        .unwrap();
    assert!(broken.into_inner().message().await.is_err());
    sender
        .send(message(None, vec![span(3, "b")]))
        .await
        .unwrap();
    drop(sender);
    assert!(answers.message().await.unwrap().is_none());
    let envelopes = sink.envelopes();
    assert_eq!(envelopes.iter().map(name).collect::<Vec<_>>(), ["a", "b"]);
    let counts = input.statistics().counts();
    assert_eq!((counts.batches_received, counts.batches_failed), (2, 1));
}
