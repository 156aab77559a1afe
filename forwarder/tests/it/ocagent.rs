//! The real client of the OpenCensus agent: opencensus-ext-ocagent 0.7.1, in a virtual environment of its own.

use std::process::Command;
use std::sync::Arc;

use azmon::envelope::{Data, tags};
use azmon_forwarder::inputs::{Limits, OpenCensusInput, OpenCensusOptions};
use azmon_test_clients::python::{python, succeed};

use crate::support::{Kept, grpc_server, named, property, tag};

/// The installed packages. Later versions of protobuf lose the attributes of spans.
const PACKAGES: [&str; 5] = [
    "opencensus-ext-ocagent==0.7.1",
    "opencensus==0.11.4",
    "protobuf==3.20.3",
    "grpcio==1.59.5",
    "setuptools<80",
];

const CLIENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/opencensus/client.py"
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_for_python_sends_traces_its_configuration_and_metrics() {
    let sink = Arc::new(Kept::default());
    let input = OpenCensusInput::new(sink.clone(), OpenCensusOptions::default());
    let budget = input.budget().clone();
    let address = grpc_server(input.grpc_routes(), Limits::default(), budget).await;
    let run = move || {
        let python = python(env!("CARGO_TARGET_TMPDIR"), "ocagent", &PACKAGES);
        succeed(Command::new(python).arg(CLIENT).arg(address.to_string()))
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let answered = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(answered.trim(), "constant_sampler");

    let envelopes = sink.envelopes();
    let request = named(&envelopes, "GET /orders/{id}");
    let Data::Request(data) = &request.data else {
        panic!("{request:?}")
    };
    assert!(data.success);
    assert_eq!(data.response_code, "200");
    assert_eq!(tag(request, tags::CLOUD_ROLE), Some("python-service"));
    let instance = tag(request, tags::CLOUD_ROLE_INSTANCE).unwrap();
    assert!(instance.contains('.'), "{instance}");
    let sdk = tag(request, tags::INTERNAL_SDK_VERSION);
    assert_eq!(sdk, Some("lf_python-oc:0.11.4"));

    let call = named(&envelopes, "POST /items");
    let Data::RemoteDependency(dependency) = &call.data else {
        panic!("{call:?}")
    };
    assert_eq!(dependency.target.as_deref(), Some("stock.local:9000"));
    assert_eq!(dependency.result_code.as_deref(), Some("503"));
    assert_eq!(property(call, "ratio"), Some("0.5"));
    assert_eq!(tag(call, tags::OPERATION_PARENT_ID), Some(data.id.as_ref()));
    assert_eq!(
        tag(call, tags::OPERATION_ID),
        tag(request, tags::OPERATION_ID)
    );
    named(&envelopes, "compute");
    let annotation = named(&envelopes, "looked up");
    assert_eq!(property(annotation, "rows"), Some("1"));

    let point = |name: &str| match &named(&envelopes, name).data {
        Data::Metric(data) => data.metrics[0].clone(),
        other => panic!("{other:?}"),
    };
    let distribution = point("latency_distribution");
    assert_eq!((distribution.value, distribution.count), (12.5, Some(1)));
    assert_eq!(point("latency_count").value, 1.0);
    let metric = named(&envelopes, "latency_count");
    assert_eq!(property(metric, "method"), Some("GET"));

    let counts = input.statistics().counts();
    // The stream of metrics was open when its process ended.
    assert!(counts.batches_failed <= 1, "{counts:?}");
    assert_eq!(counts.configs_received, 1);
    assert!(counts.batches_received >= 5, "{counts:?}");
}
