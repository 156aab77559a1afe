//! The programs `azmon tail`, `import`, `export` and `doctor`, and the portal for tests.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use azmon_portal::testing::TestPortal;
use serde_json::{Value, json};

use crate::client::{Harness, event, gzip};
use crate::story::Story;

async fn azmon(arguments: &[&str], input: &[u8]) -> Output {
    let (arguments, input): (Vec<String>, _) = (
        arguments.iter().map(|text| (*text).to_owned()).collect(),
        input.to_vec(),
    );
    let run = move || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_azmon"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_can_be_imported_elsewhere() {
    let (here, there) = (Harness::start().await, Harness::start().await);
    here.accept(&Story::ago(60).orders(3)).await;
    let exported = azmon(&["export", "--portal", &here.portal.url()], b"").await;
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert_eq!(text(&exported.stdout).lines().count(), 16);
    for file in [exported.stdout.clone(), gzip(&exported.stdout)] {
        let imported = azmon(&["import", "--portal", &there.portal.url(), "-"], &file).await;
        assert_eq!(
            text(&imported.stdout),
            "-: 16 of 16 items\n",
            "{}",
            text(&imported.stderr)
        );
    }
    assert_eq!(there.portal.items().len(), 32);
    let envelopes = |harness: &Harness| -> Vec<Value> {
        harness
            .portal
            .items()
            .iter()
            .take(16)
            .map(|item| serde_json::from_str(item.json()).unwrap())
            .collect()
    };
    assert_eq!(envelopes(&there), envelopes(&here));
    let some = azmon(
        &[
            "export",
            "--portal",
            &here.portal.url(),
            "--kind",
            "request",
            "success:false",
        ],
        b"",
    )
    .await;
    assert_eq!(text(&some.stdout).lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_are_not_envelopes_are_reported_and_the_others_kept() {
    let harness = Harness::start().await;
    let otlp = json!({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"scope": {}, "spans": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
        "name": "I'm a server span", "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
        "kind": 2}]}]}]});
    let file = format!("{}\nnonsense\n{}\n{{}}\n", event("a"), otlp);
    let imported = azmon(
        &["import", "--portal", &harness.portal.url(), "-"],
        file.as_bytes(),
    )
    .await;
    assert!(!imported.status.success());
    assert_eq!(text(&imported.stdout), "-: 2 of 4 items\n");
    assert!(
        text(&imported.stderr).contains("line 2:"),
        "{}",
        text(&imported.stderr)
    );
    let names: Vec<_> = harness
        .items("?order=arrival")
        .await
        .iter()
        .map(|item| item["name"].clone())
        .collect();
    assert_eq!(names, ["I'm a server span", "a"]);
}

/// The same rows from a running portal, from its export, and from its database under two names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_answered_from_a_portal_and_from_files() {
    let directory = std::env::temp_dir().join(format!("azmon-query-test-{}", std::process::id()));
    let data = directory.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let query = "requests | summarize count() by name | order by name asc";
    let rows = "name,count_\nPOST /charge,3\nPOST /orders,3\n";
    let harness = Harness::start_with(azmon_portal::Portal::builder().data_directory(&data)).await;
    harness.accept(&Story::ago(60).orders(3)).await;
    let url = harness.portal.url();
    let asked = azmon(&["query", query, "--format", "csv", "--portal", &url], b"").await;
    assert_eq!(text(&asked.stdout), rows, "{}", text(&asked.stderr));

    let export = directory.join("incident.ndjson.gz");
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let exported = azmon(
        &["export", "--portal", &url, "--output", &path(&export)],
        b"",
    )
    .await;
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    let otlp = directory.join("incident.otlp.jsonl");
    let exported = azmon(
        &[
            "export",
            "--format",
            "otlp",
            "--portal",
            &url,
            "--output",
            &path(&otlp),
        ],
        b"",
    )
    .await;
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    let of_file = async |file: &std::path::Path| {
        azmon(
            &["query", query, "--format", "csv", "--file", &path(file)],
            b"",
        )
        .await
    };
    let busy = of_file(&data).await;
    assert!(
        text(&busy.stderr).contains("another portal uses"),
        "{}",
        text(&busy.stderr)
    );
    harness.portal.shutdown().await;
    let copied = directory.join("copied.sqlite");
    std::fs::copy(data.join("portal.db"), &copied).unwrap();
    for file in [&export, &otlp, &data, &data.join("portal.db"), &copied] {
        let asked = of_file(file).await;
        assert_eq!(
            text(&asked.stdout),
            rows,
            "{}: {}",
            file.display(),
            text(&asked.stderr)
        );
    }
    let failing = azmon(
        &[
            "query",
            "requests | where success == false",
            "--fail-if-any",
            "--file",
            &path(&export),
        ],
        b"",
    )
    .await;
    assert_eq!(failing.status.code(), Some(1));
    assert!(text(&failing.stdout).contains("502"));
    let nothing = directory.join("nothing.txt");
    std::fs::write(&nothing, "no telemetry").unwrap();
    for (file, part) in [(&nothing, "has no telemetry"), (&directory, "portal.db")] {
        let refused = of_file(file).await;
        assert!(!refused.status.success());
        let message = text(&refused.stderr);
        assert!(message.contains(part), "{message}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tail_shows_arriving_items() {
    let harness = Harness::start().await;
    harness.accept(&[event("before")]).await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_azmon"))
        .args([
            "tail",
            "--portal",
            &harness.portal.url(),
            "-n",
            "5",
            "--count",
            "1",
            "--colour",
            "never",
            "success:false",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reading = tokio::task::spawn_blocking(move || output.lines().next().unwrap().unwrap());
    let story = Story::ago(1);
    // The stream may start after the program, so items are sent until the program ends.
    for index in 0.. {
        let id = index.to_string();
        harness
            .accept(&[story.request(("shop", "GET /fails"), (0, 7), (&id, &id, ""), "500")])
            .await;
        if child.try_wait().unwrap().is_some() {
            break;
        }
        assert!(index < 2_000, "nothing is shown");
        tokio::task::yield_now().await;
    }
    let line = reading.await.unwrap();
    assert!(
        line.contains("✕ request     shop GET /fails 500 7.0 ms"),
        "{line}"
    );
    let status = tokio::task::spawn_blocking(move || child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_sends_an_item_and_explains_the_answer() {
    let harness = Harness::start().await;
    let well = azmon(
        &[
            "doctor",
            "--connection-string",
            harness.portal.connection_string(),
        ],
        b"",
    )
    .await;
    let output = text(&well.stdout);
    assert!(well.status.success(), "{}", text(&well.stderr));
    for part in [
        "is complete",
        "is open",
        "One item was accepted",
        "sampler",
        "Is the middleware installed?",
    ] {
        assert!(output.contains(part), "{part} in {output}");
    }
    assert_eq!(harness.portal.items().len(), 1);

    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let text_of = format!(
        "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://{closed}"
    );
    let ill = azmon(&["doctor", "--connection-string", &text_of], b"").await;
    assert!(!ill.status.success());
    assert!(
        text(&ill.stderr).contains("Is the portal running?"),
        "{}",
        text(&ill.stderr)
    );
    let wrong = azmon(
        &[
            "doctor",
            "--connection-string",
            "IngestionEndpoint=http://a",
        ],
        b"",
    )
    .await;
    assert!(text(&wrong.stderr).contains("InstrumentationKey"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_tells_the_findings_of_a_portal() {
    let harness = Harness::start().await;
    harness.track("[{}]").await;
    harness.accept(&[event("a")]).await;
    let output = azmon(&["doctor", "--portal", &harness.portal.url()], b"").await;
    let output = text(&output.stdout);
    assert!(
        output.contains("1 accepted, 1 refused") && output.contains("✕ 1 items refused"),
        "{output}"
    );
    let nowhere = azmon(&["doctor", "--portal", "http://127.0.0.1:1"], b"").await;
    assert!(text(&nowhere.stderr).contains("start one with: azmon portal"));
}

#[tokio::test]
async fn assertions_of_the_portal_for_tests_hold_and_fail_as_they_should() {
    let portal = TestPortal::start()
        .await
        .patience(Duration::from_millis(100));
    portal.send(json!(Story::ago(5).orders(4))).await;
    let failed = portal.requests().named("POST /orders").failed().one().await;
    assert_eq!(failed.result_code(), Some("502"));
    portal
        .dependencies()
        .to("shop-db")
        .in_transaction_of(&failed)
        .one()
        .await;
    portal.requests().of_role("shop").count(4).await;
    portal.traces().containing("placed").at_least(2).await;
    portal.exceptions().of_type("OrderError").none().await;
    assert_eq!(portal.transaction_of(&failed).len(), 6);
    let failing = tokio::spawn(async move {
        portal.requests().named("GET /none").one().await;
    });
    let panic = failing.await.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("expected one request named \"GET /none\", found 0; there are 21 items:"),
        "{message}"
    );
    assert!(
        message.contains("\n  request \"POST /orders\" 200 of shop"),
        "{message}"
    );
}

#[tokio::test]
async fn an_assertion_waits_for_telemetry_in_transit() {
    let portal = std::sync::Arc::new(TestPortal::start().await);
    let sender = std::sync::Arc::clone(&portal);
    let waiting = tokio::spawn(async move { portal.events().named("late").one().await });
    tokio::task::yield_now().await;
    sender.send(json!([event("late")])).await;
    assert_eq!(waiting.await.unwrap().name(), "late");
    sender.clear().await;
    sender.items().none().await;
}
