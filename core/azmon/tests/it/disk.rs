//! Telemetry on a real disk.

use std::path::PathBuf;
use std::time::Duration;

use azmon::Storage;

use crate::endpoint::{Script, connection_string};
use crate::support::{builder, report, span};

#[test]
fn items_on_a_real_disk_are_sent_by_the_next_telemetry() {
    let directory = Directory::new("restart");
    let storage = || Storage::at(directory.path());
    let reserved = crate::endpoint::Reserved::new();
    let first = builder(connection_string(reserved.address()))
        .storage(storage())
        .build()
        .unwrap();
    for name in ["a", "b"] {
        span(&first, name);
    }
    let report = first.shutdown(Duration::from_secs(5)).unwrap();
    assert_eq!((report.traces.sent, report.traces.stored), (0, 2));
    assert_private(&directory.path());
    let endpoint = reserved.start(vec![Script::Accept; 10]);
    let second = builder(endpoint.connection_string())
        .storage(storage())
        .build()
        .unwrap();
    endpoint.wait_for(1);
    second.shutdown(Duration::from_secs(5)).unwrap();
    let received = endpoint.received();
    let names: Vec<_> = received
        .iter()
        .flat_map(|received| received.names())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(second.statistics().recovered.sent, 2);
}

#[test]
fn removing_the_directory_while_running_loses_only_its_items() {
    let directory = Directory::new("removed");
    let reserved = crate::endpoint::Reserved::new();
    let telemetry = builder(connection_string(reserved.address()))
        .storage(Storage::at(directory.path()))
        .build()
        .unwrap();
    for number in 0..3 {
        span(&telemetry, format!("stored {number}"));
    }
    telemetry.force_flush().unwrap();
    assert_eq!(report(&telemetry), [0, 3, 0]);
    std::fs::remove_dir_all(directory.path()).unwrap();
    for number in 0..2 {
        span(&telemetry, format!("after {number}"));
    }
    assert!(telemetry.force_flush().unwrap_err().is_held());
    let endpoint = reserved.start(vec![Script::Accept; 10]);
    telemetry.shutdown(Duration::from_secs(10)).unwrap();
    let received = endpoint.received();
    let mut names: Vec<_> = received
        .iter()
        .flat_map(|received| received.names())
        .collect();
    names.sort();
    assert_eq!(names, ["after 0", "after 1"]);
    assert_eq!(report(&telemetry), [2, 0, 3]);
    let dropped = telemetry.dropped_items();
    assert_eq!(dropped[0].reason, azmon::DropReason::StorageDamaged);
}

#[cfg(unix)]
fn assert_private(root: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;

    for entry in std::fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let (path, metadata) = (entry.path(), entry.metadata().unwrap());
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_dir() {
            assert_eq!(mode, 0o700, "{path:?}");
            assert_private(&path);
        } else {
            assert_eq!(mode, 0o600, "{path:?}");
        }
    }
}

#[cfg(not(unix))]
fn assert_private(_root: &std::path::Path) {}

/// A directory that is removed with everything in it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let unique = format!(
            "azmon-it-{name}-{}-{:x}",
            std::process::id(),
            fastrand::u64(..)
        );
        Self(std::env::temp_dir().join(unique))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
