//! Long faults at real rates. Optimised builds use the full rates, other builds a tenth or a hundredth of them in the
//! same simulated time.

use std::path::PathBuf;

use flate2::read::GzDecoder;

use super::*;
use crate::storage::{FakeFileSystem, FileName, Storage};

/// Divisor of the rates in builds without optimisation.
const FEWER: usize = if cfg!(debug_assertions) { 10 } else { 1 };
const ROOT: &str = "/cache/azmon/endurance";
const POISON: &str = "poison";

/// An endpoint that accepts every batch except that of one item, and counts the items. It reads only the names, because
/// the number of items is large.
#[derive(Debug)]
struct Counting {
    /// The number of arrivals of each item.
    taken: Mutex<Vec<u8>>,
    is_down: Mutex<bool>,
}

impl Counting {
    fn new(items: usize, is_down: bool) -> Arc<Self> {
        Arc::new(Self {
            taken: Mutex::new(vec![0; items]),
            is_down: Mutex::new(is_down),
        })
    }

    fn mend(&self) {
        *self.is_down.lock().unwrap() = false;
    }

    /// The number of items that arrived. No item arrived twice.
    fn arrived_once(&self) -> u64 {
        let taken = self.taken.lock().unwrap();
        assert!(taken.iter().all(|times| *times <= 1));
        taken.iter().map(|times| u64::from(*times)).sum()
    }
}

impl Transport for Arc<Counting> {
    fn post(&self, _endpoint: &str, body: Bytes) -> Sending {
        if *self.is_down.lock().unwrap() {
            return Box::pin(async { Err(SendError::new("scripted".to_owned())) });
        }
        let mut text = String::new();
        GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
        let values = text.split("\"name\":\"").skip(1);
        let names = values.filter_map(|value| value.split('"').next());
        let names: Vec<_> = names
            .filter(|name| !name.starts_with("Microsoft"))
            .collect();
        let status = if names.contains(&POISON) { 500 } else { 200 };
        if status == 200 {
            let mut taken = self.taken.lock().unwrap();
            for name in names {
                taken[name.parse::<usize>().unwrap()] += 1;
            }
        }
        Box::pin(async move {
            Ok(Reply {
                status,
                ..Reply::default()
            })
        })
    }
}

/// A worker with the default limits.
struct Busy {
    producer: Producer,
    handle: WorkerHandle,
    endpoint: Arc<Counting>,
    ended: usize,
}

const QUEUE_BYTES: usize = 64 << 20;
const MEMORY: usize = 32 << 20;

impl Busy {
    fn start(endpoint: Arc<Counting>, storage: StorageSettings) -> Self {
        let options = WorkerOptions {
            endpoint: "http://endpoint".to_owned(),
            transport: Arc::new(endpoint.clone()),
            storage,
            max_memory: MEMORY,
            max_export_delay: SECOND,
            processors: TelemetryProcessors::default(),
        };
        let (producer, consumer) = queue(QueueLimits {
            items: 65_536,
            bytes: QUEUE_BYTES,
            batch: 4_096,
        });
        let resource = Resource::builder_empty().build();
        let mapper = Mapper::new("key", &resource, MappingOptions::default());
        let (handle, worker) = Worker::new(options, consumer, Arc::new(mapper));
        tokio::spawn(worker.run());
        Self {
            producer,
            handle,
            endpoint,
            ended: 0,
        }
    }

    /// Ends spans evenly over a time. Each span has its own name.
    async fn end(&mut self, rate: usize, time: Duration, mut check: impl FnMut(&Self)) {
        let steps = time.as_millis() as usize / 100;
        let total = rate * steps / 10;
        let first = self.ended;
        for step in 1..=steps {
            while self.ended < first + total * step / steps {
                let pushed = self.producer.push(span(&self.ended.to_string()));
                assert!(pushed.is_ok(), "the queue is full at {}", self.ended);
                self.ended += 1;
            }
            sleep(SECOND / 10).await;
            if step % 50 == 0 {
                check(self);
            }
        }
    }

    fn assert_bounded(&self, disk: u64) {
        let statistics = self.handle.statistics();
        assert!(statistics.queue_bytes <= QUEUE_BYTES, "{statistics:?}");
        assert!(statistics.memory_bytes <= MEMORY, "{statistics:?}");
        assert!(statistics.disk_bytes <= disk, "{statistics:?}");
        let report = statistics.traces;
        let settled = report.sent + report.stored + report.dropped;
        let open = statistics.queue_items as u64 + statistics.open_items;
        assert_eq!(settled + open, self.ended as u64, "{statistics:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_for_ever_costs_ten_thousand_good_spans_a_second_nothing() {
    const RATE: usize = 10_000 / FEWER;
    const SECONDS: usize = 60;
    let endpoint = Counting::new(RATE * SECONDS, false);
    let mut worker = Busy::start(endpoint, StorageSettings::off());
    worker.producer.push(span(POISON)).unwrap();
    // The batch holds no other item.
    sleep(2 * SECOND).await;
    let time = Duration::from_secs(SECONDS as u64);
    let check = |worker: &Busy| {
        // At most the good spans of the export delay wait, with a margin.
        let waiting = worker.ended as u64 - worker.handle.statistics().traces.sent;
        assert!(waiting <= 2 * RATE as u64, "{waiting} wait");
    };
    worker.end(RATE, time, check).await;
    sleep(5 * SECOND).await;
    worker.ended += 1;
    worker.assert_bounded(0);
    let good = (RATE * SECONDS) as u64;
    assert_eq!(worker.endpoint.arrived_once(), good);
    let statistics = worker.handle.statistics();
    assert_eq!((statistics.traces.sent, statistics.open_items), (good, 1));
    assert!(statistics.memory_bytes < 1_000, "{statistics:?}");
    sleep(47 * 3_600 * SECOND).await;
    assert_eq!(worker.handle.statistics().traces.dropped, 0);
    sleep(3 * 3_600 * SECOND).await;
    let statistics = worker.handle.statistics();
    assert_eq!(statistics.traces.dropped, 1);
    assert_eq!(statistics.dropped[0].reason, crate::DropReason::Expired);
    assert_eq!(statistics.memory_bytes, 0);
}

fn settings(files: &FakeFileSystem, storage: &Storage) -> StorageSettings {
    StorageSettings {
        files: Arc::new(files.clone()),
        ..StorageSettings::new(storage, Some(PathBuf::from(ROOT)))
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_down_for_an_hour_loses_only_items_beyond_the_disk() {
    const RATE: usize = 2_000 / FEWER / FEWER;
    const SECONDS: usize = 3_600;
    const DISK: u64 = 50_000_000 / (FEWER * FEWER) as u64;
    for disk in [DISK, DISK / 10] {
        let files = FakeFileSystem::default();
        let storage = settings(&files, &Storage::default().max_bytes(disk));
        let mut worker = Busy::start(Counting::new(RATE * SECONDS, true), storage);
        let time = Duration::from_secs(SECONDS as u64);
        // A batch is written before the oldest batches are removed.
        let check = |worker: &Busy| worker.assert_bounded(disk + (1 << 20));
        worker.end(RATE, time, check).await;
        let report = worker.handle.statistics().traces;
        assert!(report.sent == 0 && report.stored > 0, "{report:?}");
        worker.endpoint.mend();
        sleep(24 * 3_600 * SECOND).await;
        worker.assert_bounded(disk);
        let statistics = worker.handle.statistics();
        let report = statistics.traces;
        assert_eq!(report.sent + report.dropped, worker.ended as u64);
        assert_eq!(worker.endpoint.arrived_once(), report.sent);
        let reasons: Vec<_> = statistics.dropped.iter().map(|one| one.reason).collect();
        if disk < DISK {
            assert_eq!(reasons, [crate::DropReason::StorageFull]);
        }
        assert_eq!(files.batches(), 0);
        assert_eq!((statistics.memory_bytes, statistics.disk_bytes), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_files_are_worked_off_within_the_limits() {
    const FILES: usize = 100_000 / FEWER;
    const MAX_FILES: usize = 10_000 / FEWER;
    let files = FakeFileSystem::default();
    let storage = Storage::default().max_files(MAX_FILES);
    let mut first = Busy::start(Counting::new(1, true), settings(&files, &storage));
    first.end(10, SECOND / 10, |_| ()).await;
    sleep(60 * SECOND).await;
    let whole = files.files().into_iter();
    let (path, content) = { whole }
        .find(|(path, _)| path.extension().is_some_and(|end| end == "azmon"))
        .unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let created = FileName::parse(&name).unwrap().created().unwrap();
    let directory = path.parent().unwrap();
    for number in 1..FILES {
        let name = FileName::new(created + number as u64, "dead", number as u64, 1);
        files.add(&directory.join(name.as_str()), &content);
    }
    files.end_of_process();
    let second = TestWorker::set_up(Setup {
        storage: settings(&files, &storage),
        ..Setup::default()
    });
    let mut left = FILES;
    for _ in 0..48 * 60 {
        sleep(60 * SECOND).await;
        let statistics = second.handle.statistics();
        assert!(statistics.disk_batches <= MAX_FILES, "{statistics:?}");
        left = files.batches();
        if left == 0 {
            break;
        }
    }
    assert_eq!(left, 0);
    let recovered = second.handle.statistics().recovered;
    assert_eq!(recovered.sent + recovered.dropped, FILES as u64);
    assert!(recovered.sent > 0, "{recovered:?}");
    drop(first);
}
