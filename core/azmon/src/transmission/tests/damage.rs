//! Damaged files: at most their own items are lost, and lost items are counted.

use std::path::PathBuf;
use std::time::SystemTime;

use super::*;
use crate::storage::{FakeFileSystem, FileName, Storage, milliseconds};

const ITEMS: usize = 5;
/// The distance of the damaged bytes. Optimised builds damage every byte.
const STEP: usize = if cfg!(debug_assertions) { 7 } else { 1 };

fn settings(files: &FakeFileSystem) -> StorageSettings {
    StorageSettings {
        files: Arc::new(files.clone()),
        ..StorageSettings::new(
            &Storage::default(),
            Some(PathBuf::from("/cache/azmon/test")),
        )
    }
}

fn worker(files: &FakeFileSystem) -> TestWorker {
    TestWorker::set_up(Setup {
        storage: settings(files),
        ..Setup::default()
    })
}

/// A worker in an outage that has stored a batch.
async fn stored(files: &FakeFileSystem) -> TestWorker {
    let worker = worker(files);
    worker.rule(|_| Some(Script::RetryAfter(503, "60")));
    worker.push(ITEMS);
    sleep(10 * SECOND).await;
    assert_eq!(worker.report().stored, ITEMS as u64);
    worker
}

fn batch(files: &FakeFileSystem) -> (PathBuf, Vec<u8>) {
    let is_batch =
        |(path, _): &(PathBuf, Vec<u8>)| path.extension().is_some_and(|end| end == "azmon");
    files.files().into_iter().find(is_batch).unwrap()
}

/// Changes the file of a batch, and checks that at most its items are lost, in this process and in the next one.
async fn assert_costs_only_itself(what: &str, change: impl Fn(&mut Vec<u8>)) {
    for is_next_process in [false, true] {
        let files = FakeFileSystem::default();
        let first = stored(&files).await;
        files.damage(|path, content| {
            if path.extension().is_some_and(|end| end == "azmon") {
                change(content);
            }
        });
        let worker = if is_next_process {
            files.end_of_process();
            self::worker(&files)
        } else {
            first
        };
        worker.rule(|_| None);
        worker.push_named("another");
        sleep(3_600 * SECOND).await;
        let taken = worker.transport.taken.lock().unwrap().clone();
        assert!(taken.values().all(|times| *times == 1), "{what}: {taken:?}");
        assert!(taken.contains_key("another"), "{what}");
        let statistics = worker.handle.statistics();
        let of_file = match is_next_process {
            true => statistics.recovered,
            false => statistics.traces,
        };
        let others = u64::from(!is_next_process);
        assert_eq!(
            (of_file.sent + of_file.dropped, of_file.stored),
            (ITEMS as u64 + others, 0),
            "{what}: {statistics:?}"
        );
        assert_eq!(statistics.open_items, 0, "{what}");
        let all = statistics.recovered.sent + statistics.traces.sent;
        assert_eq!(taken.len() as u64, all, "{what}");
        assert_eq!(files.batches(), 0, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_with_any_kind_of_damage_loses_only_its_items() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 9] = [
        ("nothing is left", |content| content.clear()),
        ("zeros of the same length", |content| content.fill(0)),
        ("more behind it", |content| {
            content.extend_from_slice(b"more")
        }),
        ("twice the same", |content| content.extend_from_within(..)),
        ("another version", |content| {
            let place = content.iter().position(|byte| *byte == b'1').unwrap();
            content[place] = b'2';
        }),
        ("no header", |content| {
            let end = content.iter().rposition(|byte| *byte == b'\n').unwrap();
            content.drain(..end);
        }),
        ("only a header", |content| {
            let magic = content.iter().position(|byte| *byte == b'\n').unwrap();
            let rest = &content[magic + 1..];
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
            content.truncate(magic + end + 2);
        }),
        ("a text", |content| *content = b"hello\n".to_vec()),
        ("more items than are in it", |content| {
            *content = [
                b"azmon-batch 1\n{\"created\":1,\"labels\":[[0,64000]]}\n",
                &content[40..],
            ]
            .concat();
        }),
    ];
    for (what, damage) in damages {
        assert_costs_only_itself(what, damage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_truncated_anywhere_loses_only_its_items() {
    let files = FakeFileSystem::default();
    let _first = stored(&files).await;
    let length = batch(&files).1.len();
    for kept in (0..length).step_by(STEP) {
        assert_costs_only_itself(&format!("{kept} of {length}"), |content| {
            content.truncate(kept)
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_with_any_changed_byte_loses_only_its_items() {
    let files = FakeFileSystem::default();
    let _first = stored(&files).await;
    let length = batch(&files).1.len();
    for place in (0..length).step_by(STEP) {
        let change = |content: &mut Vec<u8>| {
            if let Some(byte) = content.get_mut(place) {
                *byte ^= 1;
            }
        };
        assert_costs_only_itself(&format!("byte {place} of {length}"), change).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_anew_loses_nothing_that_is_not_old() {
    let files = FakeFileSystem::default();
    let first = stored(&files).await;
    let (path, content) = batch(&files);
    let directory = path.parent().unwrap();
    let now = milliseconds(SystemTime::now());
    let day = 24 * 3_600 * 1_000;
    // A clock that is ahead by a day, by ten years and by the maximum, and a clock that was not set.
    for (number, created) in [now + day, now + 3_650 * day, u64::MAX, 0]
        .into_iter()
        .enumerate()
    {
        let name = FileName::new(created, "other", number as u64, ITEMS);
        files.add(&directory.join(name.as_str()), &content);
    }
    files.end_of_process();
    let second = worker(&files);
    sleep(600 * SECOND).await;
    let statistics = second.handle.statistics();
    let recovered = statistics.recovered;
    assert_eq!(
        (recovered.sent, recovered.dropped),
        (20, 5),
        "{statistics:?}"
    );
    assert_eq!(statistics.dropped, []);
    assert_eq!(files.batches(), 0);
    drop(first);
}
