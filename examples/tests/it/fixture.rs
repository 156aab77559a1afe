//! Example programs that send telemetry to a portal.

use std::net::Ipv4Addr;
use std::process::{Output, Stdio};
use std::sync::Arc;

use azmon::envelope::{Data, RemoteDependencyData, RequestData, tags};
use azmon_portal::{Item, Portal};
use tokio::process::Command;

pub(crate) async fn portal() -> Portal {
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    Portal::builder().bind(address).await.unwrap()
}

/// A program whose environment contains only the portal's connection string.
pub(crate) fn program(path: &str, portal: &Portal) -> Command {
    let mut command = Command::new(path);
    command
        .env_clear()
        .env(
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            portal.connection_string(),
        )
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a program to its successful end. Returns its output.
pub(crate) async fn run(mut command: Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().await.unwrap();
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(status.success(), "{status}\n{stdout}\n{stderr}");
    stdout
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The arrived items without metrics.
pub(crate) fn items(portal: &Portal) -> Vec<Arc<Item>> {
    let mut items = portal.items();
    items.retain(|item| !matches!(item.envelope().data, Data::Metric(_)));
    items.sort_by_key(|item| item.id());
    items
}

pub(crate) fn dependency(item: &Item) -> Option<&RemoteDependencyData<'static>> {
    match &item.envelope().data {
        Data::RemoteDependency(data) => Some(data),
        _ => None,
    }
}

pub(crate) fn request(item: &Item) -> Option<&RequestData<'static>> {
    match &item.envelope().data {
        Data::Request(data) => Some(data),
        _ => None,
    }
}

/// The id of a request or a dependency.
pub(crate) fn id(item: &Item) -> &str {
    match (dependency(item), request(item)) {
        (Some(data), _) => &data.id,
        (_, Some(data)) => &data.id,
        _ => panic!("it has no id: {}", item.json()),
    }
}

/// The only item of this name.
#[track_caller]
pub(crate) fn named<'a>(items: &'a [Arc<Item>], name: &str) -> &'a Item {
    let mut found = items.iter().filter(|item| item.name() == name);
    let item = found.next().unwrap_or_else(|| {
        let names: Vec<_> = items.iter().map(|item| item.name()).collect();
        panic!("{name} in {names:#?}")
    });
    assert!(found.next().is_none(), "{name} is there twice");
    item
}

#[track_caller]
pub(crate) fn assert_child(item: &Item, parent: &Item) {
    assert_eq!(
        item.operation_id(),
        parent.operation_id(),
        "{}",
        item.json()
    );
    let parent = Some(id(parent));
    assert_eq!(
        item.tag(tags::OPERATION_PARENT_ID),
        parent,
        "{}",
        item.json()
    );
}
