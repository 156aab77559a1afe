//! The real client of the query API: azure-monitor-query 2.0.0 for Python, in a virtual environment of its own.

use std::process::Command;

use azmon_portal::testing::TestPortal;
use azmon_test_clients::python::{python, succeed};
use serde_json::{Value, json};

use crate::query::some_requests;

const PACKAGES: [&str; 2] = ["azure-monitor-query==2.0.0", "azure-core==1.41.0"];

const CLIENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/azure-monitor-query/client.py"
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_for_python_understands_every_kind_of_answer() {
    let portal = TestPortal::start().await;
    portal.send(some_requests()).await;
    let url = portal.portal().url();
    let run = move || {
        let python = python(
            env!("CARGO_TARGET_TMPDIR"),
            "azure-monitor-query",
            &PACKAGES,
        );
        succeed(
            Command::new(python)
                .args([CLIENT, &url])
                .env("no_proxy", "*")
                .env("NO_PROXY", "*"),
        )
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let said: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |name: &str| {
        let found = said.iter().find(|line| line["test"] == name);
        found.unwrap_or_else(|| panic!("{name} in {output}"))
    };

    let workspace = of("workspace");
    assert_eq!(workspace["status"], true, "{workspace}");
    assert_eq!(
        workspace["tables"],
        json!([{
            "columns": ["TimeGenerated", "Name", "DurationMs", "Success", "Properties"],
            "rows": [
                ["2026-11-20T12:00:01.123456+00:00", "GET /a", 10.0, true, "{\"tenant\":\"t1\"}"],
                ["2026-11-20T12:00:02.123456+00:00", "GET /a", 20.0, false, "{\"tenant\":\"t0\"}"],
                ["2026-11-20T12:00:03.123456+00:00", "GET /b", 30.0, true, "{\"tenant\":\"t1\"}"],
            ],
        }])
    );
    assert!(
        workspace["statistics"]
            .to_string()
            .contains("executionTime")
    );

    let resource = of("resource");
    assert_eq!(resource["visualization"], "barchart");
    assert_eq!(
        resource["tables"][0]["rows"],
        json!([["GET /a", 2], ["GET /b", 1]])
    );
    assert_eq!(of("timespan")["tables"][0]["rows"], json!([[0]]));

    let error = of("error");
    assert_eq!(
        (&error["status"], &error["code"]),
        (&json!(400), &json!("BadArgumentError"))
    );
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("durtion"), "{message}");

    let partial = of("partial");
    assert_eq!(
        (&partial["status"], &partial["rows"], &partial["code"]),
        (&json!(true), &json!(500_000), &json!("PartialError"))
    );

    let batch = of("batch");
    assert_eq!(batch["first"][0]["rows"], json!([[3]]));
    assert_eq!(batch["second"][0], true, "{batch}");
    assert_eq!(batch["second"][1], "BadArgumentError");
}
