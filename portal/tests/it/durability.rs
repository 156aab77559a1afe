//! Failures of the portal's process, disk or database.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use azmon_portal::Portal;
use serde_json::{Value, json};

use crate::client::{Harness, event};

/// A separate directory for one test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("azmon-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(directory: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_azmon"))
            .args(["portal", "--listen", "127.0.0.1:0", "--no-otlp", "--data"])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .map(Result::unwrap)
            .find(|line| line.contains("IngestionEndpoint="))
            .unwrap();
        let (_, url) = line.split_once("LiveEndpoint=").unwrap();
        Self {
            url: url.trim().to_owned(),
            child,
        }
    }

    async fn track(&self, items: &Value) -> bool {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let sent = client
            .post(format!("{}/v2.1/track", self.url))
            .body(items.to_string())
            .send()
            .await;
        sent.is_ok_and(|response| response.status() == 200)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_answered_with_200_survive_a_kill_of_the_process() {
    let directory = Directory::new("killed");
    let mut program = Program::start(&directory.0);
    let mut accepted = 0;
    let mut batches = 0..;
    // Batches continue while the process is killed in the middle of one of them.
    loop {
        let batch = batches.next().unwrap();
        let items: Vec<_> = (0..50)
            .map(|index| event(&format!("{batch}-{index}")))
            .collect();
        if batch == 20 {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request = client
                .post(format!("{}/v2.1/track", program.url))
                .body(json!(items).to_string());
            let last = tokio::spawn(request.send());
            program.child.kill().unwrap();
            program.child.wait().unwrap();
            if last
                .await
                .unwrap()
                .is_ok_and(|response| response.status() == 200)
            {
                accepted += 50;
            }
            break;
        }
        assert!(program.track(&json!(items)).await);
        accepted += 50;
    }
    let harness = Harness::start_with(Portal::builder().data_directory(&directory.0)).await;
    let items = harness.portal.items();
    assert!(items.len() >= accepted, "{} of {accepted}", items.len());
    assert_eq!(items.len() % 50, 0, "a batch is there whole or not at all");
    // Rollups are part of the same commits.
    let total = harness.json("/api/facets").await["total"].as_u64().unwrap();
    assert_eq!(total, items.len() as u64);
    harness.accept(&[event("after")]).await;
    assert_eq!(harness.items("?q=after").await.len(), 1);
}

#[tokio::test]
async fn data_is_kept_from_one_portal_to_the_next() {
    let directory = Directory::new("kept");
    let builder = || Portal::builder().data_directory(&directory.0);
    let harness = Harness::start_with(builder()).await;
    harness
        .accept(&crate::story::Story::ago(20).orders(2))
        .await;
    let before = harness.json("/api/map").await["edges"].clone();
    harness.portal.shutdown().await;
    let harness = Harness::start_with(builder()).await;
    let after = harness.json("/api/map").await["edges"].clone();
    assert_eq!(
        after.as_array().unwrap().len(),
        before.as_array().unwrap().len()
    );
    assert_eq!(harness.portal.items().len(), 10);
    assert_eq!(harness.items("?q=declined").await.len(), 0);
    assert_eq!(harness.json("/api/stats").await["isTemporary"], false);
}

/// The halves of a call, in both orders, with the portal started again between them.
#[tokio::test]
async fn both_halves_of_a_call_meet_after_the_portal_was_started_again() {
    let story = crate::story::Story::ago(20);
    let operation = crate::story::operation(1);
    let caller = story.dependency(
        "shop",
        ("HTTP", "payments:80", "POST /charge"),
        (10, 70),
        (&operation, "call", ""),
        "200",
    );
    let callee = story.request(
        ("payments", "POST /charge"),
        (15, 60),
        (&operation, "pay", "call"),
        "200",
    );
    for (name, first, second) in [
        ("caller-first", &caller, &callee),
        ("callee-first", &callee, &caller),
    ] {
        let directory = Directory::new(name);
        let builder = || Portal::builder().data_directory(&directory.0);
        let harness = Harness::start_with(builder()).await;
        harness.accept(std::slice::from_ref(first)).await;
        harness.portal.shutdown().await;
        let harness = Harness::start_with(builder()).await;
        harness.accept(std::slice::from_ref(second)).await;
        let edges = async |harness: &Harness| -> Vec<Value> {
            let map = harness.json("/api/map").await;
            let edges = map["edges"].as_array().unwrap().clone();
            edges
                .iter()
                .map(|edge| json!([edge["id"], edge["matched"], edge["callee"]["count"]]))
                .collect()
        };
        let expected = [json!(["role:shop>role:payments", 1, 1])];
        assert_eq!(edges(&harness).await, expected, "{name}");
        // Started once more, the same edge is not counted again.
        harness.portal.shutdown().await;
        let harness = Harness::start_with(builder()).await;
        assert_eq!(edges(&harness).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_second_portal_on_a_directory_reports_the_first() {
    let directory = Directory::new("shared");
    let first = Harness::start_with(Portal::builder().data_directory(&directory.0)).await;
    let second = Portal::builder()
        .data_directory(&directory.0)
        .bind("127.0.0.1:0".parse().unwrap())
        .await;
    let error = second.unwrap_err();
    assert!(error.is_data_in_use(), "{error}");
    assert!(error.to_string().contains("another portal uses"), "{error}");
    first.accept(&[event("still well")]).await;
    first.portal.shutdown().await;
    Harness::start_with(Portal::builder().data_directory(&directory.0)).await;
}

#[tokio::test]
async fn a_damaged_database_is_reported_and_left_unchanged() {
    let directory = Directory::new("damaged");
    let harness = Harness::start_with(Portal::builder().data_directory(&directory.0)).await;
    harness.accept(&[event("a")]).await;
    harness.portal.shutdown().await;
    let path = directory.0.join("portal.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..100].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let error = Portal::builder()
        .data_directory(&directory.0)
        .bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap_err();
    assert!(error.is_data_damaged(), "{error}");
    assert!(
        error.to_string().contains("portal.db") && error.to_string().contains("--data"),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn a_full_disk_is_503_and_stored_items_stay() {
    let harness = Harness::start_with(Portal::builder().max_pages(400)).await;
    let mut kept = 0;
    let refused = loop {
        let items: Vec<_> = (0..20).map(|_| event(&"x".repeat(5_000))).collect();
        let response = harness
            .post("/v2.1/track")
            .body(json!(items).to_string())
            .send()
            .await
            .unwrap();
        if response.status() != 200 {
            break response;
        }
        kept += 20;
        assert!(kept < 10_000, "the disk is never full");
    };
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let answer = crate::client::json_of(refused).await;
    assert_eq!(
        (&answer["itemsReceived"], &answer["itemsAccepted"]),
        (&json!(20), &json!(0))
    );
    assert!(
        answer["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("disk"),
        "{answer}"
    );
    assert_eq!(harness.portal.items().len(), kept);
    harness.json("/api/overview").await;
    // After items are deleted, the portal accepts telemetry again.
    let deleted = harness.request("DELETE", "/api/data").send().await.unwrap();
    assert_eq!(deleted.status(), 200);
    harness.accept(&[event("again")]).await;
}
