//! Examples that need only a portal.

use std::process::Stdio;
use std::sync::Arc;

use azmon::envelope::{Data, tags};
use azmon_portal::{Item, Portal};
use tokio::io::AsyncWriteExt;

use crate::fixture::{assert_child, dependency, id, items, named, portal, program, request, run};

async fn arrived(path: &str) -> (Vec<Arc<Item>>, String, Portal) {
    let portal = portal().await;
    let printed = run(program(path, &portal)).await;
    (items(&portal), printed, portal)
}

/// The names of the arrived metrics, with their sums.
fn metrics(portal: &Portal) -> Vec<(String, f64)> {
    let items = portal.items();
    let points = items.iter().filter_map(|item| match &item.envelope().data {
        Data::Metric(data) => data.metrics.first(),
        _ => None,
    });
    points
        .map(|point| (point.name.to_string(), point.value))
        .collect()
}

#[tokio::test]
async fn a_job_of_the_worker_is_a_request_in_the_trace_of_its_cause() {
    let (items, ..) = arrived(env!("CARGO_BIN_EXE_worker")).await;
    let requests: Vec<_> = items
        .iter()
        .filter(|item| request(item).is_some())
        .collect();
    assert_eq!(requests.len(), 3);
    for job in requests {
        let cause = items
            .iter()
            .find(|item| dependency(item).is_some() && item.operation_id() == job.operation_id())
            .unwrap();
        assert_child(job, cause);
        let cause = dependency(cause).unwrap();
        assert_eq!(cause.dependency_type.as_deref(), Some("Queue Message"));
        assert_eq!(cause.target.as_deref(), Some("shipments"));
        let data = request(job).unwrap();
        assert_eq!(data.name, "ship order");
        assert_eq!(data.source.as_deref(), Some("shipments"));
        let order = data.properties.get("order").unwrap();
        assert_eq!(data.success, order != "13");
        let logs: Vec<_> = items
            .iter()
            .filter(|item| item.tag(tags::OPERATION_PARENT_ID) == Some(id(job)))
            .collect();
        let exceptions = logs
            .iter()
            .filter(|item| matches!(item.envelope().data, Data::Exception(_)));
        assert_eq!(exceptions.count(), usize::from(!data.success));
        assert!(
            logs.iter()
                .all(|item| item.operation_name() == Some("ship order"))
        );
        assert!(logs.iter().any(|item| item.name() == "shipping"));
    }
}

#[tokio::test]
async fn a_call_by_tonic_is_a_dependency_and_a_request_of_one_trace() {
    let (items, printed, _) = arrived(env!("CARGO_BIN_EXE_tonic")).await;
    assert_eq!(printed, "\"\": Serving\n\"unknown\": NotFound\n");
    let calls: Vec<_> = items
        .iter()
        .filter(|item| dependency(item).is_some())
        .collect();
    let successes: Vec<_> = calls.iter().map(|call| call.success()).collect();
    assert_eq!(successes, [Some(true), Some(false)]);
    let statuses: Vec<_> = calls
        .iter()
        .map(|call| {
            dependency(call)
                .unwrap()
                .properties
                .get("rpc.response.status_code")
                .map(|code| &**code)
        })
        .collect();
    assert_eq!(statuses, [Some("OK"), Some("NOT_FOUND")]);
    for call in calls {
        assert_eq!(call.name(), "POST /grpc.health.v1.Health/Check");
        let served = items
            .iter()
            .find(|item| request(item).is_some() && item.operation_id() == call.operation_id())
            .unwrap();
        assert_child(served, call);
        assert_eq!(served.name(), "grpc.health.v1.Health/Check");
        assert_eq!(served.success(), Some(true));
    }
}

#[tokio::test]
async fn exporters_under_an_sdk_of_ones_own_send_spans_logs_and_metrics() {
    let (items, _, portal) = arrived(env!("CARGO_BIN_EXE_own_sdk")).await;
    let span = named(&items, "stocktaking");
    assert_eq!(span.tag(tags::CLOUD_ROLE), Some("own_sdk"));
    let log = named(&items, "the stock is low");
    assert_child(log, span);
    assert!(metrics(&portal).contains(&("items".to_owned(), 3.0)));
}

#[tokio::test]
async fn the_tests_of_the_testing_example_pass_without_a_network() {
    let (items, printed, _) = arrived(env!("CARGO_BIN_EXE_testing")).await;
    assert_eq!(printed, "2 tests passed\n");
    assert!(items.is_empty());
}

#[tokio::test]
async fn each_value_of_the_opencensus_program_is_a_span_a_metric_and_a_log_record() {
    let portal = portal().await;
    let mut command = program(env!("CARGO_BIN_EXE_migrate_opencensus"), &portal);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"24\n55\n").await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let items = items(&portal);
    let logged: Vec<_> = items
        .iter()
        .filter(|item| matches!(item.envelope().data, Data::Message(_)))
        .collect();
    assert_eq!(
        logged.iter().map(|item| item.name()).collect::<Vec<_>>(),
        ["24", "55"]
    );
    for log in logged {
        let span = items
            .iter()
            .find(|item| dependency(item).is_some() && item.operation_id() == log.operation_id())
            .unwrap();
        assert_child(log, span);
        assert_eq!(span.name(), "test");
        assert_eq!(span.tag(tags::CLOUD_ROLE), Some("python-service"));
        assert_eq!(
            dependency(span).unwrap().dependency_type.as_deref(),
            Some("InProc")
        );
    }
    assert!(metrics(&portal).contains(&("prompts".to_owned(), 2.0)));
}
