//! Telemetry on disk under failures of every file operation.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::*;
use crate::storage::{FakeFileSystem, Storage};

const ROOT: &str = "/cache/azmon/test";

fn settings(files: &FakeFileSystem, storage: &Storage) -> StorageSettings {
    StorageSettings {
        files: Arc::new(files.clone()),
        ..StorageSettings::new(storage, Some(PathBuf::from(ROOT)))
    }
}

fn worker(files: &FakeFileSystem, storage: &Storage) -> TestWorker {
    TestWorker::set_up(Setup {
        storage: settings(files, storage),
        ..Setup::default()
    })
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_for_on_disk_and_then_everything_arrives_once() {
    let files = FakeFileSystem::default();
    let worker = worker(&files, &Storage::default());
    worker.rule(|_| Some(Script::Unreachable));
    for _ in 0..720 {
        worker.push(20);
        sleep(5 * SECOND).await;
    }
    let statistics = worker.handle.statistics();
    assert!(statistics.memory_bytes < 200_000, "{statistics:?}");
    assert!(statistics.disk_batches > 300, "{statistics:?}");
    assert_eq!(worker.report().stored + statistics.open_items, 14_400);
    worker.rule(|_| None);
    sleep(2 * 3_600 * SECOND).await;
    assert_eq!(worker.transport.arrived_once(), 14_400);
    assert_eq!(worker.report().sent, 14_400);
    assert_eq!(files.batches(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_an_outage_stores_the_rest_and_the_next_process_sends_it() {
    let files = FakeFileSystem::default();
    let first = worker(&files, &Storage::default());
    first.rule(|_| Some(Script::Unreachable));
    first.push(300);
    first.handle.shut_down(5 * SECOND).await.unwrap();
    assert_eq!(first.report().stored, 300);
    files.end_of_process();
    let second = worker(&files, &Storage::default());
    sleep(10 * SECOND).await;
    assert_eq!(second.transport.arrived_once(), 300);
    let statistics = second.handle.statistics();
    assert_eq!(
        (statistics.recovered.sent, statistics.traces.sent),
        (300, 0)
    );
    assert_eq!(files.batches(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_stores_running_uploads() {
    let files = FakeFileSystem::default();
    let worker = worker(&files, &Storage::default());
    worker.rule(|_| Some(Script::Slow(3_600 * SECOND)));
    worker.push(300);
    let start = Instant::now();
    worker.handle.shut_down(5 * SECOND).await.unwrap();
    assert!(start.elapsed() < 5 * SECOND);
    assert_eq!(worker.report().stored, 300);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_lives_keeps_its_batches_to_itself() {
    let files = FakeFileSystem::default();
    let first = worker(&files, &Storage::default());
    first.rule(|_| Some(Script::Unreachable));
    first.push(300);
    sleep(20 * SECOND).await;
    let others: Vec<_> = (0..4)
        .map(|_| worker(&files, &Storage::default()))
        .collect();
    sleep(600 * SECOND).await;
    assert!(others.iter().all(|other| other.asked().is_empty()));
    assert_eq!(first.report().stored, 300);
}

#[tokio::test(start_paused = true)]
async fn in_durable_mode_everything_is_on_disk_before_it_is_sent() {
    let files = FakeFileSystem::default();
    let worker = worker(&files, &Storage::default().durable(true));
    let seen = files.clone();
    worker.rule(move |_| {
        assert!(seen.batches() > 0, "sent before it is on disk");
        None
    });
    for _ in 0..50 {
        worker.push(1);
        sleep(SECOND / 5).await;
    }
    sleep(SECOND).await;
    assert_eq!(worker.transport.arrived_once(), 50);
    assert_eq!(files.batches(), 0);
}

#[tokio::test(start_paused = true)]
async fn in_durable_mode_an_end_without_warning_loses_nothing_that_is_200_ms_old() {
    let files = FakeFileSystem::default();
    let first = worker(&files, &Storage::default().durable(true));
    first.rule(|_| Some(Script::Slow(3_600 * SECOND)));
    first.push(30);
    sleep(SECOND / 5).await;
    files.end_of_process();
    let second = worker(&files, &Storage::default());
    sleep(10 * SECOND).await;
    assert_eq!(second.transport.arrived_once(), 30);
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn in_durable_mode_a_bad_item_is_found_and_a_part_is_on_disk_before_the_whole_is_removed() {
    let files = FakeFileSystem::default();
    let worker = worker(&files, &Storage::default().durable(true));
    worker.rule(|names| {
        names
            .contains(&"poison".to_owned())
            .then_some(Script::Status(400))
    });
    worker.push(50);
    worker.push_named("poison");
    worker.push(48);
    sleep(60 * SECOND).await;
    let report = worker.report();
    assert_eq!((report.sent, report.dropped), (98, 1));
    assert_eq!(files.batches(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_make_room_and_are_counted() {
    let files = FakeFileSystem::default();
    let storage = Storage::default().max_files(10);
    let worker = worker(&files, &storage);
    worker.rule(|_| Some(Script::RetryAfter(503, "600")));
    for _ in 0..40 {
        worker.push(100);
        sleep(5 * SECOND).await;
    }
    assert!(files.batches() <= 10, "{}", files.batches());
    let report = worker.report();
    assert_eq!((report.stored, report.dropped), (1_000, 3_000));
    worker.rule(|_| None);
    sleep(3_600 * SECOND).await;
    let arrived = worker.transport.arrived_once();
    assert_eq!((arrived, worker.report().sent), (1_000, 1_000));
}

#[tokio::test(start_paused = true)]
async fn bytes_are_limited_too() {
    let files = FakeFileSystem::default();
    let storage = Storage::default().max_bytes(5_000);
    let worker = worker(&files, &storage);
    worker.rule(|_| Some(Script::RetryAfter(503, "600")));
    for _ in 0..40 {
        worker.push(100);
        sleep(5 * SECOND).await;
    }
    assert!(worker.handle.statistics().disk_bytes <= 5_000);
    let report = worker.report();
    assert!(report.stored > 0 && report.dropped > 0, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn items_that_are_too_old_are_dropped_and_counted() {
    let files = FakeFileSystem::default();
    let worker = worker(&files, &Storage::default());
    worker.rule(|_| Some(Script::Unreachable));
    worker.push(100);
    sleep(49 * 3_600 * SECOND).await;
    assert_eq!(worker.report().dropped, 100);
    assert_eq!(files.batches(), 0);
}

/// Makes some calls of the file system fail while telemetry is stored, then repairs it; no item is lost.
async fn with_failures(calls: Range<usize>, kind: ErrorKind, storage: &Storage) {
    let files = FakeFileSystem::default();
    files.fail(calls.clone(), kind);
    let worker = worker(&files, storage);
    worker.rule(|_| Some(Script::Unreachable));
    for _ in 0..5 {
        worker.push(20);
        sleep(10 * SECOND).await;
    }
    worker.report();
    files.fail(0..0, kind);
    worker.rule(|_| None);
    sleep(4 * 3_600 * SECOND).await;
    let report = worker.report();
    let arrived = worker.transport.arrived_once() as u64;
    assert_eq!(arrived, report.sent, "{calls:?}");
    assert_eq!(
        (report.sent, report.dropped),
        (100, 0),
        "{calls:?} {kind:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_at_any_call_loses_nothing() {
    for storage in [Storage::default(), Storage::default().durable(true)] {
        for call in 0..40 {
            with_failures(call..call + 1, ErrorKind::StorageFull, &storage).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_from_a_call_on_loses_nothing() {
    for call in [0, 1, 2, 3, 5, 8, 13] {
        for kind in [
            ErrorKind::StorageFull,
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::PermissionDenied,
        ] {
            with_failures(call..usize::MAX, kind, &Storage::default()).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn removing_the_directory_loses_only_its_items() {
    let files = FakeFileSystem::default();
    let worker = worker(&files, &Storage::default());
    worker.rule(|_| Some(Script::RetryAfter(503, "60")));
    worker.push(100);
    sleep(10 * SECOND).await;
    assert_eq!(worker.report().stored, 100);
    files.remove_all(Path::new("/cache"));
    worker.push(100);
    sleep(1_200 * SECOND).await;
    worker.push(100);
    worker.rule(|_| None);
    sleep(7_200 * SECOND).await;
    let report = worker.report();
    assert_eq!((report.sent, report.dropped), (200, 100));
    assert_eq!(worker.transport.arrived_once(), 200);
}

#[tokio::test(start_paused = true)]
async fn damaged_and_foreign_files_are_set_aside_and_counted() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [Damage; 6] = [
        |content| content.clear(),
        |content| content.truncate(content.len() / 2),
        |content| content.truncate(content.len() - 1),
        |content| content[0] ^= 1,
        |content| {
            let place = content.len() - 20;
            content[place] ^= 0xff;
        },
        |content| *content = b"azmon-batch 1\n{\"created\":1,\"labels\":[[0,1]]}\n".to_vec(),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let files = FakeFileSystem::default();
        let worker = worker(&files, &Storage::default());
        worker.rule(|_| Some(Script::RetryAfter(503, "60")));
        worker.push(100);
        sleep(10 * SECOND).await;
        files.damage(|path, content| {
            if path.extension().is_some_and(|end| end == "azmon") {
                damage(content);
            }
        });
        worker.push(100);
        worker.rule(|_| None);
        sleep(3_600 * SECOND).await;
        let report = worker.report();
        assert_eq!((report.sent, report.dropped), (100, 100), "damage {number}");
        assert_eq!(files.batches(), 0);
        let is_aside = |path: &PathBuf| path.to_string_lossy().contains("aside");
        assert_eq!(
            files.files().keys().filter(|path| is_aside(path)).count(),
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn files_of_others_and_unfinished_ones_do_no_harm() {
    let files = FakeFileSystem::default();
    let first = worker(&files, &Storage::default());
    first.rule(|_| Some(Script::Unreachable));
    first.push(100);
    sleep(20 * SECOND).await;
    let whole = files.files().into_iter();
    let (path, content) = { whole }
        .find(|(path, _)| path.extension().is_some_and(|end| end == "azmon"))
        .unwrap();
    let directory = path.parent().unwrap();
    files.add(&directory.join("notes.txt"), b"hello");
    files.add(
        &directory.join("1-a-2-3.tmp"),
        &content[..content.len() / 2],
    );
    // A file that was written but not renamed is complete.
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let (time, _) = name.split_once('-').unwrap();
    files.add(&directory.join(format!("{time}-a-2-100.tmp")), &content);
    files.end_of_process();
    let second = worker(&files, &Storage::default());
    sleep(600 * SECOND).await;
    let taken = second.transport.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 100);
    assert!(
        taken.values().all(|times| *times == 2),
        "the whole one was a copy"
    );
    assert_eq!(files.batches(), 0);
    drop(first);
}
