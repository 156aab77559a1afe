//! The Azure SDK against Azurite.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use azmon_portal::{Item, Portal};
use tokio::time::{Instant, sleep};

use crate::azurite::Azurite;
use crate::fixture::{assert_child, dependency, id, items, named, portal, program, run};

const MEBIBYTE: usize = 1 << 20;

async fn upload(azurite: &Azurite, portal: &Portal, arguments: &[&Path]) -> String {
    let mut command = program(env!("CARGO_BIN_EXE_blob_upload"), portal);
    command
        .env("APP_STORAGE_ACCOUNT_URL", azurite.account().as_str())
        .args(arguments);
    run(command).await
}

/// The items of the newest run. Each run is a trace.
fn newest_run(portal: &Portal) -> Vec<Arc<Item>> {
    let mut items = items(portal);
    let newest = items.last().unwrap().operation_id().unwrap().to_owned();
    items.retain(|item| item.operation_id() == Some(&newest));
    items
}

fn requests(items: &[Arc<Item>]) -> Vec<&Item> {
    let is_http =
        |item: &&Item| dependency(item).unwrap().dependency_type.as_deref() == Some("Http");
    items.iter().map(|item| &**item).filter(is_http).collect()
}

/// Checks Azurite's log of the run's requests, which is written with a delay.
async fn assert_seen(azurite: &Azurite, items: &[Arc<Item>]) {
    let trace = items[0].operation_id().unwrap();
    let sent: BTreeSet<_> = requests(items)
        .iter()
        .map(|item| format!("00-{trace}-{}", id(item)))
        .collect();
    assert!(!sent.is_empty());
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let seen: BTreeSet<_> = azurite
            .traceparents()
            .iter()
            .filter(|parent| parent.contains(trace))
            .map(|parent| parent.get(..52).unwrap_or_default().to_owned())
            .collect();
        if seen == sent {
            return;
        }
        assert!(Instant::now() < deadline, "{seen:#?}\n{sent:#?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[track_caller]
fn assert_request(item: &Item, code: &str, success: bool) {
    let data = dependency(item).unwrap();
    assert_eq!(data.dependency_type.as_deref(), Some("Http"));
    assert_eq!(data.result_code.as_deref(), Some(code), "{}", item.json());
    assert_eq!(data.success, success, "{}", item.json());
    let target = data.target.as_deref().unwrap();
    assert!(target.starts_with("127.0.0.1:"), "{target}");
    let url = data.data.as_deref().unwrap();
    assert!(url.contains("sig=REDACTED"), "{url}");
    assert!(data.properties.get("az.service_request.id").is_some());
}

/// The request span of an SDK call.
#[track_caller]
fn request_of<'a>(items: &'a [Arc<Item>], call: &Item) -> &'a Item {
    let data = dependency(call).unwrap();
    assert_eq!(
        data.dependency_type.as_deref(),
        Some("InProc | Microsoft.Storage")
    );
    assert!(data.success, "{}", call.json());
    let requests = requests(items);
    let is_below =
        |item: &&&Item| item.tag(azmon::envelope::tags::OPERATION_PARENT_ID) == Some(id(call));
    let mut below = requests.iter().filter(is_below);
    let request = below.next().unwrap();
    assert!(below.next().is_none(), "two requests of {}", call.json());
    request
}

fn large_file() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("large-{}.bin", std::process::id()));
    fs::write(&path, vec![7; 20 * MEBIBYTE]).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_a_dependency_of_one_trace_and_azurite_saw_each_request() {
    let azurite = Azurite::start();
    let portal = portal().await;

    let printed = upload(&azurite, &portal, &[]).await;
    assert!(printed.contains("container created"), "{printed}");
    assert!(printed.contains("the other blob is missing"), "{printed}");
    let first = newest_run(&portal);
    let (main, upload_to) = (named(&first, "mainapp"), named(&first, "upload_to"));
    assert_child(upload_to, main);
    let create = named(&first, "Storage.Blob.BlobContainerClient.create");
    assert_child(create, upload_to);
    assert_request(request_of(&first, create), "201", true);
    let span = named(&first, "upload");
    assert_child(span, upload_to);
    let call = named(&first, "Storage.Blob.BlockBlobClient.upload");
    assert_child(call, span);
    let request = request_of(&first, call);
    assert_eq!(request.name(), "PUT /devstoreaccount1/demo/main.rs");
    assert_request(request, "201", true);
    let call = named(&first, "Storage.Blob.BlobClient.download");
    assert_child(call, span);
    assert_request(request_of(&first, call), "206", true);
    let call = named(&first, "Storage.Blob.BlobClient.getProperties");
    assert_child(call, upload_to);
    assert_request(request_of(&first, call), "404", false);
    assert_eq!(first.len(), 11);
    assert_seen(&azurite, &first).await;

    let file = large_file();
    let printed = upload(&azurite, &portal, &[&file]).await;
    fs::remove_file(&file).unwrap();
    assert!(printed.contains("container already exists"), "{printed}");
    let size = 20 * MEBIBYTE;
    let transfer = format!("{size} bytes uploaded, {size} downloaded");
    assert!(printed.contains(&transfer), "{printed}");
    let second = newest_run(&portal);
    let create = named(&second, "Storage.Blob.BlobContainerClient.create");
    let request = request_of(&second, create);
    assert_request(request, "409", false);
    let span = named(&second, "upload");
    let mut parts = [0, 0, 0];
    for item in &second {
        let part = match &*item.name() {
            "Storage.Blob.BlockBlobClient.stageBlock" => 0,
            "Storage.Blob.BlockBlobClient.commitBlockList" => 1,
            "Storage.Blob.BlobClient.download" => 2,
            _ => continue,
        };
        assert_child(item, span);
        let code = if part == 2 { "206" } else { "201" };
        assert_request(request_of(&second, item), code, true);
        parts[part] += 1;
    }
    assert_eq!(parts, [5, 1, 5]);
    assert_eq!(items(&portal).len(), first.len() + second.len());
    assert_seen(&azurite, &second).await;
}

#[tokio::test]
async fn spans_are_printed_if_asked_for() {
    let azurite = Azurite::start();
    let portal = portal().await;
    let printed = upload(&azurite, &portal, &[Path::new("--console")]).await;
    for name in ["mainapp", "upload_to", "PUT /devstoreaccount1/demo/main.rs"] {
        assert!(printed.contains(name), "{printed}");
    }
    assert!(items(&portal).is_empty());
}
