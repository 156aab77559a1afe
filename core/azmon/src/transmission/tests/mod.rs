//! The worker over time, with a paused clock that advances while every task waits.

mod damage;
mod endurance;
mod lines;
mod outages;
mod storage;

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_sdk::Resource;
use tokio::time::{Instant, sleep};

use crate::envelope::{Data, Envelope};
use crate::fixtures::span;
use crate::item::{Item, Producer, QueueLimits, SignalReport, queue, record_of};
use crate::mapping::{Mapper, MappingOptions};
use crate::metrics::{BuiltinMetrics, BuiltinOptions};
use crate::storage::StorageSettings;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::handle::Delivery;
use crate::transmission::{
    Reply, SendError, Sending, SourceId, Transport, Worker, WorkerExtensions, WorkerHandle,
    WorkerOptions,
};

const SECOND: Duration = Duration::from_secs(1);
const MAX_MEMORY: usize = 1 << 20;
const DELAY: Duration = Duration::from_secs(5);
const LIMITS: QueueLimits = QueueLimits {
    items: 10_000,
    bytes: 1 << 30,
    batch: 100,
};

#[derive(Debug, Clone)]
enum Script {
    Status(u16),
    RetryAfter(u16, &'static str),
    /// Answers with `Retry-After` after a delay.
    SlowRetryAfter(Duration, u16, &'static str),
    Body(u16, String),
    Unreachable,
    Panic,
    /// Answers 200 after a delay.
    Slow(Duration),
}

/// Errors of items, in the service's format.
fn track(status: u16, items: &[(usize, u16)]) -> Script {
    let error = |(index, code): &(usize, u16)| {
        format!(r#"{{"index":{index},"statusCode":{code},"message":"scripted"}}"#)
    };
    let errors: Vec<_> = items.iter().map(error).collect();
    let body = format!(
        r#"{{"itemsReceived":9,"itemsAccepted":1,"errors":[{}]}}"#,
        errors.join(",")
    );
    Script::Body(status, body)
}

type Rule = Box<dyn FnMut(&[String]) -> Option<Script> + Send>;

/// Answers by a rule, then by a script, then 200. Records the times of requests, the accepted items, and the maximum
/// number of concurrent uploads.
#[derive(Default)]
struct Scripted {
    rule: Mutex<Option<Rule>>,
    script: Mutex<VecDeque<Script>>,
    asked: Mutex<Vec<Instant>>,
    taken: Mutex<BTreeMap<String, usize>>,
    running: Mutex<(usize, usize)>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Transport for Arc<Scripted> {
    fn post(&self, _endpoint: &str, body: Bytes) -> Sending {
        self.asked.lock().unwrap().push(Instant::now());
        let names = names(&body);
        let ruled = self
            .rule
            .lock()
            .unwrap()
            .as_mut()
            .and_then(|rule| rule(&names));
        let scripted = ruled.or_else(|| self.script.lock().unwrap().pop_front());
        let next = scripted.unwrap_or(Script::Status(200));
        let scripted = self.clone();
        Box::pin(async move {
            scripted.started();
            let result = answer(next).await;
            scripted.running.lock().unwrap().0 -= 1;
            if let Ok(reply) = &result {
                scripted.take(&names, reply);
            }
            result
        })
    }
}

impl Scripted {
    fn started(&self) {
        let mut running = self.running.lock().unwrap();
        running.0 += 1;
        running.1 = running.1.max(running.0);
    }

    /// Keeps the items that the service would accept.
    fn take(&self, names: &[String], reply: &Reply) {
        if !(200..300).contains(&reply.status) {
            return;
        }
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let refused: Vec<_> = errors.iter().map(|error| error["index"].as_u64()).collect();
        let mut taken = self.taken.lock().unwrap();
        for (index, name) in names.iter().enumerate() {
            if !refused.contains(&Some(index as u64)) {
                *taken.entry(name.clone()).or_default() += 1;
            }
        }
    }

    /// The number of received items; fails if an item arrived twice.
    fn arrived_once(&self) -> usize {
        let taken = self.taken.lock().unwrap();
        let doubled: Vec<_> = taken.iter().filter(|(_, times)| **times > 1).collect();
        assert!(doubled.is_empty(), "{doubled:?}");
        taken.len()
    }
}

/// The names of the spans in a body.
fn names(body: &[u8]) -> Vec<String> {
    let (mut rest, mut text) = (body, String::new());
    let mut decoder = flate2::bufread::GzDecoder::new(&mut rest);
    decoder.read_to_string(&mut text).unwrap();
    assert!(rest.is_empty(), "there is more than a batch");
    let envelopes = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let name = |envelope: Envelope<'_>| match envelope.data {
        Data::RemoteDependency(data) => data.name.into_owned(),
        other => format!("{other:?}"),
    };
    envelopes.map(name).collect()
}

async fn answer(script: Script) -> Result<Reply, SendError> {
    let reply = |status| {
        Ok(Reply {
            status,
            ..Reply::default()
        })
    };
    match script {
        Script::Status(status) => reply(status),
        Script::RetryAfter(status, after) => Ok(Reply {
            status,
            retry_after: Some(after.to_owned()),
            ..Reply::default()
        }),
        Script::SlowRetryAfter(time, status, after) => {
            sleep(time).await;
            Ok(Reply {
                status,
                retry_after: Some(after.to_owned()),
                ..Reply::default()
            })
        }
        Script::Body(status, body) => Ok(Reply {
            status,
            body: body.into(),
            ..Reply::default()
        }),
        Script::Unreachable => Err(SendError::new("scripted".to_owned())),
        Script::Panic => panic!("scripted"),
        Script::Slow(time) => {
            sleep(time).await;
            reply(200)
        }
    }
}

/// A worker with a scripted endpoint.
struct TestWorker {
    producer: Producer,
    handle: WorkerHandle,
    transport: Arc<Scripted>,
    mapper: Arc<Mapper>,
    started: Instant,
    pushed: Mutex<u64>,
}

struct Setup {
    storage: StorageSettings,
    delay: Duration,
    limits: QueueLimits,
    processors: TelemetryProcessors,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            storage: StorageSettings::off(),
            delay: DELAY,
            limits: LIMITS,
            processors: TelemetryProcessors::default(),
        }
    }
}

impl TestWorker {
    fn start(script: impl IntoIterator<Item = Script>) -> Self {
        Self::start_with(script, |_| BuiltinMetrics::default())
    }

    fn start_with(
        script: impl IntoIterator<Item = Script>,
        metrics: impl FnOnce(&Arc<Mapper>) -> BuiltinMetrics,
    ) -> Self {
        let transport = Arc::new(Scripted {
            script: Mutex::new(script.into_iter().collect()),
            ..Scripted::default()
        });
        Self::with(transport, Setup::default(), metrics)
    }

    fn set_up(setup: Setup) -> Self {
        Self::with(Arc::default(), setup, |_| BuiltinMetrics::default())
    }

    fn with(
        transport: Arc<Scripted>,
        setup: Setup,
        metrics: impl FnOnce(&Arc<Mapper>) -> BuiltinMetrics,
    ) -> Self {
        let options = WorkerOptions {
            endpoint: "http://endpoint".to_owned(),
            transport: Arc::new(transport.clone()),
            storage: setup.storage,
            max_memory: MAX_MEMORY,
            max_export_delay: setup.delay,
            processors: setup.processors,
        };
        let mapper = Mapper::new(
            "key",
            &Resource::builder_empty().build(),
            MappingOptions::default(),
        );
        let (producer, consumer) = queue(setup.limits);
        let mapper = Arc::new(mapper);
        let extensions = WorkerExtensions {
            metrics: metrics(&mapper),
            ..WorkerExtensions::default()
        };
        let (handle, worker) = Worker::new(options, consumer, mapper.clone());
        tokio::spawn(worker.with(extensions).run());
        Self {
            producer,
            handle,
            transport,
            mapper,
            started: Instant::now(),
            pushed: Mutex::new(0),
        }
    }

    /// Answers by the rule, and 200 if the rule returns none.
    fn rule(&self, rule: impl FnMut(&[String]) -> Option<Script> + Send + 'static) {
        *self.transport.rule.lock().unwrap() = Some(Box::new(rule));
    }

    /// Pushes spans with their own names, and counts refused ones as the intake does.
    fn push(&self, spans: usize) {
        for _ in 0..spans {
            let mut pushed = self.pushed.lock().unwrap();
            let name = pushed.to_string();
            *pushed += 1;
            if let Err(refused) = self.producer.push(span(&name)) {
                let counters = self.handle.counters();
                counters.count(crate::DropReason::QueueFull, refused.label(), 1);
            }
        }
    }

    /// Pushes a span of this name.
    fn push_named(&self, name: &str) {
        *self.pushed.lock().unwrap() += 1;
        self.producer.push(span(name)).unwrap();
    }

    /// The times of the requests, in whole seconds since the start.
    fn asked(&self) -> Vec<u64> {
        let asked = self.transport.asked.lock().unwrap();
        asked
            .iter()
            .map(|asked| (*asked - self.started).as_secs())
            .collect()
    }

    async fn flush(&self, timeout: Duration) -> Delivery {
        let handle = self.handle.clone();
        let flush = tokio::task::spawn_blocking(move || handle.flush(timeout));
        flush.await.unwrap()
    }

    /// Exports spans, as a plain exporter does.
    async fn export(&self, spans: usize) -> Delivery {
        let name = |_| {
            let mut pushed = self.pushed.lock().unwrap();
            *pushed += 1;
            Item::from(span(&format!("exported {pushed}")))
        };
        let items = (0..spans).map(name).collect();
        let mapper = self.mapper.clone();
        self.handle.export(SourceId::MAIN, mapper, items).await
    }

    /// The report about the spans, all of which are accounted for.
    fn report(&self) -> SignalReport {
        let statistics = self.handle.statistics();
        let report = statistics.traces;
        let settled = report.sent + report.stored + report.dropped;
        let open = statistics.queue_items as u64 + statistics.open_items;
        assert_eq!(
            settled + open,
            *self.pushed.lock().unwrap(),
            "{statistics:?}"
        );
        report
    }
}

#[tokio::test(start_paused = true)]
async fn a_span_waits_for_others_no_longer_than_the_delay() {
    let worker = TestWorker::start([]);
    sleep(2 * SECOND).await;
    worker.push(1);
    sleep(SECOND).await;
    worker.push(1);
    sleep(60 * SECOND).await;
    assert_eq!(worker.asked(), [7]);
    worker.push(1);
    sleep(60 * SECOND).await;
    assert_eq!(worker.asked(), [7, 63 + 5]);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once() {
    let worker = TestWorker::start([]);
    worker.push(99);
    sleep(SECOND).await;
    assert!(worker.asked().is_empty());
    worker.push(1);
    sleep(SECOND).await;
    assert_eq!(worker.asked(), [1]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_after_growing_pauses() {
    let failures = [
        Script::Unreachable,
        Script::Status(503),
        Script::Panic,
        Script::Status(429),
    ];
    let worker = TestWorker::start(failures);
    worker.push(1);
    sleep(120 * SECOND).await;
    let asked = worker.transport.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 5);
    for (pair, longest) in asked.windows(2).zip([1, 2, 4, 8]) {
        let (pause, longest) = (pair[1] - pair[0], SECOND * longest);
        assert!(
            pause >= longest / 2 && pause <= longest + SECOND / 10,
            "{pause:?} of {longest:?}"
        );
    }
    assert_eq!(worker.report().sent, 1);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let worker = TestWorker::start([
        Script::RetryAfter(429, "120"),
        Script::RetryAfter(503, "30"),
    ]);
    worker.push(1);
    sleep(600 * SECOND).await;
    assert_eq!(worker.asked(), [5, 125, 155]);
}

#[tokio::test(start_paused = true)]
async fn exports_and_flushes_obey_retry_after_and_say_that_items_are_held() {
    let worker = TestWorker::start([Script::RetryAfter(503, "3600")]);
    worker.push(1);
    sleep(10 * SECOND).await;
    for held in 2..20 {
        let error = worker.export(1).await.unwrap_err();
        let expected =
            format!("{held} items are held, to be sent again: the endpoint is out of reach");
        assert_eq!(error.to_string(), expected);
        assert_eq!(worker.flush(60 * SECOND).await.unwrap_err(), error);
    }
    assert_eq!(worker.asked(), [5]);
    sleep(3_600 * SECOND).await;
    assert_eq!(worker.transport.arrived_once(), 19);
    assert_eq!(worker.report().sent, 19);
}

#[tokio::test(start_paused = true)]
async fn a_flush_tries_once_in_a_pause_that_the_service_did_not_ask_for() {
    let worker = TestWorker::start([Script::Unreachable, Script::Unreachable]);
    worker.push(1);
    sleep(5 * SECOND + SECOND / 10).await;
    assert!(worker.flush(60 * SECOND).await.is_err());
    assert_eq!(worker.asked(), [5, 5]);
    worker.flush(60 * SECOND).await.unwrap();
    assert_eq!(worker.transport.arrived_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_one_upload_probes_until_the_endpoint_answers() {
    let worker = TestWorker::start([Script::RetryAfter(503, "60"), Script::Slow(10 * SECOND)]);
    worker.push(100);
    sleep(SECOND).await;
    for _ in 0..5 {
        worker.push(100);
        sleep(SECOND).await;
    }
    sleep(120 * SECOND).await;
    assert_eq!(worker.asked(), [0, 60, 70, 70, 70, 70, 70]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_waits_for_its_retry_does_not_keep_the_worker_from_taking_more() {
    let worker = TestWorker::start([Script::RetryAfter(503, "3600")]);
    let more_than_the_queue_holds = 2 * LIMITS.items;
    for _ in 0..more_than_the_queue_holds / LIMITS.batch {
        worker.push(LIMITS.batch);
        sleep(SECOND).await;
    }
    assert_eq!(worker.asked(), [0]);
    assert_eq!(worker.report().dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn uploads_run_side_by_side_up_to_a_limit() {
    let worker = TestWorker::start(vec![Script::Slow(60 * SECOND); 40]);
    for _ in 0..40 {
        worker.push(100);
        sleep(SECOND / 100).await;
    }
    sleep(600 * SECOND).await;
    assert_eq!(worker.asked().len(), 40);
    assert_eq!(worker.transport.running.lock().unwrap().1, 16);
}

#[tokio::test(start_paused = true)]
async fn an_endless_delay_waits_for_a_full_batch_or_a_flush() {
    let worker = TestWorker::set_up(Setup {
        delay: Duration::MAX,
        ..Setup::default()
    });
    worker.push(1);
    sleep(100_000 * SECOND).await;
    assert!(worker.asked().is_empty() && worker.handle.is_alive());
    worker.flush(SECOND).await.unwrap();
    worker.push(100);
    sleep(SECOND).await;
    assert_eq!(worker.report().sent, 101);
}

#[tokio::test(start_paused = true)]
async fn items_behind_a_step_that_processors_drop_are_sent_in_time() {
    let mut processors = TelemetryProcessors::default();
    let mut seen = 0;
    processors.add(move |_| {
        seen += 1;
        match seen {
            ..=4_096 => crate::ItemDecision::Drop,
            _ => crate::ItemDecision::Keep,
        }
    });
    let worker = TestWorker::set_up(Setup {
        processors,
        ..Setup::default()
    });
    worker.push(4_096 + 50);
    sleep(6 * SECOND).await;
    let report = worker.report();
    assert_eq!((report.sent, report.dropped), (50, 4_096));
}

const METRICS: BuiltinOptions = BuiltinOptions {
    standard_metrics: false,
    performance_counters: false,
    interval: Duration::from_secs(60),
    statistics_interval: None,
    compute_type: "unknown",
};

#[tokio::test(start_paused = true)]
async fn standard_metrics_are_sent_at_their_interval_if_there_are_any() {
    let mut counted = None;
    let worker = TestWorker::start_with([], |mapper| {
        let options = BuiltinOptions {
            standard_metrics: true,
            ..METRICS
        };
        let (metrics, spans) = BuiltinMetrics::new(&options, mapper);
        counted = Some(spans);
        metrics
    });
    let spans = counted.unwrap();
    spans.count(&mut record_of(span("x")));
    sleep(150 * SECOND).await;
    spans.count(&mut record_of(span("y")));
    sleep(600 * SECOND).await;
    assert_eq!(worker.asked(), [60, 180]);
}

#[tokio::test(start_paused = true)]
async fn performance_counters_are_sent_at_every_interval() {
    let worker = TestWorker::start_with([], |mapper| {
        let options = BuiltinOptions {
            performance_counters: true,
            ..METRICS
        };
        BuiltinMetrics::new(&options, mapper).0
    });
    sleep(200 * SECOND).await;
    assert_eq!(worker.asked(), [60, 120, 180]);
}

#[tokio::test(start_paused = true)]
async fn statistics_tell_of_others_but_not_of_themselves() {
    let worker = TestWorker::start_with([], |mapper| {
        let options = BuiltinOptions {
            statistics_interval: Some(900 * SECOND),
            ..METRICS
        };
        BuiltinMetrics::new(&options, mapper).0
    });
    worker.push(1);
    sleep(4_000 * SECOND).await;
    assert_eq!(worker.asked(), [5, 900]);
}
