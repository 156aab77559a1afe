//! Live Metrics in the form of each other client.

use std::process::{Command, Stdio};

use azmon_test_clients::python::python;
use serde_json::{Value, json};

use crate::client::Harness;
use crate::live::{KEY, Page, call, has_rows, is_subscribed, ping_body};

#[tokio::test]
async fn the_client_for_python_shows_with_its_faults() {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("../golden/otel-python-distro-quickpulse.json")).unwrap();
    let harness = Harness::start().await;
    let mut page = Page::open(&harness).await;
    for call in &recorded {
        let mut request = harness.post(call["path"].as_str().unwrap());
        for (name, value) in call["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let answer = request.body(call["body"].to_string()).send().await.unwrap();
        assert!(is_subscribed(&answer));
    }
    let told = page
        .until(|told| {
            told["samples"]
                .as_array()
                .unwrap()
                .iter()
                .any(|sample| sample["item"]["kind"] == "request")
        })
        .await;
    let server = &told["servers"][0];
    assert_eq!(server["role"], "demo.shop");
    assert_eq!(server["name"], "shop-1");
    assert_eq!(server["client"], "ulm_py3.11.7:otel1.45.2:dst1.8.11");
    assert_eq!(server["warnings"], json!(["values look like seconds"]));
    assert_eq!(server["rows"][0][1], 1.0);
    assert_eq!(server["rows"][0][11], 67_383_296.0);
    let samples = told["samples"].as_array().unwrap();
    let request = samples
        .iter()
        .find(|sample| sample["item"]["kind"] == "request")
        .unwrap();
    assert_eq!(request["item"]["name"], "GET /orders/<id>");
    assert_eq!(request["item"]["durationMs"], 0.0);
}

#[tokio::test]
async fn the_forms_of_dotnet_java_and_node_are_read() {
    let harness = Harness::start().await;
    let mut page = Page::open(&harness).await;
    // OpenTelemetry for .NET pings without a body.
    let request = harness.post(&format!(
        "/QuickPulseService.svc/ping?api-version=x&ikey={KEY}"
    ));
    let answer = request
        .header("x-ms-qps-stream-id", "ne")
        .header("x-ms-qps-instance-name", "ne-1")
        .header("x-ms-qps-role-name", "ne")
        .header("x-ms-qps-machine-name", "Unknown")
        .header("x-ms-qps-invariant-version", "5")
        .send()
        .await
        .unwrap();
    assert!(is_subscribed(&answer));
    let server = page.server(|server| server["role"] == "ne").await;
    assert_eq!(server["name"], "ne-1");
    let view = json!({"streams": [], "charts": [{"id": "own chart", "telemetryType": "Request", "groups": [],
        "projection": "Count()", "aggregation": "Sum", "across": "Sum"}]});
    let put = harness
        .request("PUT", "/api/live/configuration")
        .body(view.to_string());
    assert_eq!(put.send().await.unwrap().status(), 200);
    // The classic one: dates of its own, keys in upper case, old names of metrics, no transmission time.
    let classic = json!([{
        "InstrumentationKey": KEY, "Version": "2.22.0", "InvariantVersion": 5, "Instance": "nc-1", "RoleName": "nc",
        "MachineName": "host", "StreamId": "nc", "ProcessorCount": 4, "PerformanceCollectionSupported": true,
        "Timestamp": "/Date(1763649684000)/", "TopCpuProcesses": [{"ProcessName": "w3wp", "CpuPercentage": 7}],
        "Metrics": [
            {"Name": r"\ApplicationInsights\Requests/Sec", "Value": 4.0, "Weight": 1},
            {"Name": r"\ApplicationInsights\Request Duration", "Value": 250.5, "Weight": 4},
            {"Name": r"\Processor(_Total)\% Processor Time", "Value": 12.5, "Weight": 1},
            {"Name": r"\Memory\Committed Bytes", "Value": 1024.0, "Weight": 1},
            {"Name": "own chart", "Value": 3.0, "Weight": 0},
            {"Name": "of an older configuration", "Value": 3.0, "Weight": 1}],
        "CollectionConfigurationErrors": [{"CollectionConfigurationErrorType": "MetricFailureToCreate", "Message": "no",
            "FullException": "", "Data": [{"Key": "MetricId", "Value": "own chart"}, {"Key": "ETag", "Value": "x"}]}],
        "GlobalDocumentQuotaReached": true,
        "Documents": [{"__type": "RequestTelemetryDocument:http://schemas.microsoft.com", "DocumentType": "Request",
            "Id": "1", "Version": "1.1", "Timestamp": {"DateTime": "/Date(1763649683900)/", "OffsetMinutes": 0},
            "Name": "GET /", "Url": "http://x/", "ResponseCode": "500", "Success": false, "Duration": "PT0.25S",
            "OperationId": "0af7", "DocumentStreamIds": ["failed requests"], "Properties": [{"key": "a", "value": "b"}]}]}]);
    for _ in 0..2 {
        // The same point twice, as after an answer that was lost.
        assert!(is_subscribed(&call(&harness, "post", "", &classic).await));
    }
    let told = page
        .until(|told| !told["samples"].as_array().unwrap().is_empty())
        .await;
    assert_eq!(told["samples"].as_array().unwrap().len(), 1);
    let item = &told["samples"][0]["item"];
    assert_eq!(item["happened"], 1_763_649_683_900_i64);
    assert_eq!(
        (&item["durationMs"], &item["success"]),
        (&json!(250.0), &json!(false))
    );
    assert_eq!(item["properties"], json!({"a": "b"}));
    let server = page
        .server(|server| server["role"] == "nc" && has_rows(server))
        .await;
    assert_eq!(server["rows"].as_array().unwrap().len(), 1);
    let row = server["rows"][0].as_array().unwrap();
    assert_eq!(row[1..4], [json!(4.0), json!(250.5), json!(4.0)]);
    let own = json!({"own chart": [3.0, 0.0]});
    assert_eq!(row[10..], [json!(12.5), json!(1024.0), own]);
    assert_eq!(
        server["errors"][0],
        json!({"type": "MetricFailureToCreate", "message": "no", "of": "own chart"})
    );
    assert_eq!(server["isQuotaReached"], true);
    // Java and Node.js: dates of ISO 8601; Node.js sends codes that are no numbers, an exception without its type.
    for (stream, document) in [
        (
            "java",
            json!({"DocumentType": "RemoteDependency", "Name": "SELECT", "CommandName": "SELECT 1", "ResultCode": "0", "Duration": "PT0.001S"}),
        ),
        (
            "node",
            json!({"DocumentType": "RemoteDependency", "Name": "x", "ResultCode": f64::NAN.to_string(), "Duration": "PT1S"}),
        ),
        (
            "old",
            json!({"ExceptionType": "Error", "ExceptionMessage": "broken"}),
        ),
    ] {
        let mut point = ping_body(stream);
        point["RoleName"] = json!(stream);
        point["InvariantVersion"] = json!(if stream == "old" { 1 } else { 5 });
        point["Timestamp"] = json!("2026-11-20T14:41:24.738Z");
        point["Metrics"] = json!([{"Name": r"\ApplicationInsights\Requests/Sec", "Value": 1}]);
        point["Documents"] = json!([document]);
        assert!(is_subscribed(
            &call(&harness, "post", "", &json!([point])).await
        ));
    }
    let told = page
        .until(|told| told["servers"].as_array().unwrap().len() == 5)
        .await;
    let old = told["servers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|server| server["role"] == "old");
    assert_eq!(
        old.unwrap()["warnings"],
        json!(["its samples cannot be filtered"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_client_for_python_is_a_server_with_its_figures() {
    let python = || {
        let packages = ["azure-monitor-opentelemetry==1.8.11"];
        python(env!("CARGO_TARGET_TMPDIR"), "live-metrics", &packages)
    };
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let harness = Harness::start().await;
    let mut page = Page::open(&harness).await;
    let mut client = Command::new(python)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/live_metrics.py"
        ))
        .arg(harness.portal.connection_string())
        .env("OTEL_SERVICE_NAME", "python-service")
        .env("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let server = page
        .server(|server| {
            let rows = server["rows"].as_array().unwrap();
            let is_counted = rows.iter().any(|row| row[1].as_f64() > Some(1.0));
            server["source"] == "liveMetrics" && is_counted
        })
        .await;
    drop(client.stdin.take());
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(server["role"], "python-service");
    assert!(
        server["client"].as_str().unwrap().contains("py3."),
        "{server}"
    );
    let row = server["rows"].as_array().unwrap().last().unwrap();
    assert!(row[11].as_f64() > Some(1e6), "memory of the process: {row}");
}
