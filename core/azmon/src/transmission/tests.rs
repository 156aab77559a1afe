//! The worker in time: the clock is paused, and moves when everybody waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_sdk::Resource;
use tokio::time::{Instant, sleep};

use crate::fixtures::span;
use crate::item::{Producer, QueueLimits, queue, record_of};
use crate::mapping::{Mapper, MappingOptions};
use crate::metrics::{AutomaticMetrics, AutomaticOptions};
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{
    Extras, Reply, SendError, Sending, Transmitter, Transport, Worker, WorkerOptions,
};

const SECOND: Duration = Duration::from_secs(1);
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
    Unreachable,
    Panic,
    /// Answers 200 after a time.
    Slow(Duration),
}

/// Answers by a script, then 200, and notes when it was asked, and how many uploads ran at most.
#[derive(Debug, Default)]
struct Scripted {
    script: Mutex<VecDeque<Script>>,
    asked: Mutex<Vec<Instant>>,
    running: Mutex<(usize, usize)>,
}

impl Transport for Arc<Scripted> {
    fn post(&self, _endpoint: &str, _body: Bytes) -> Sending {
        self.asked.lock().unwrap().push(Instant::now());
        let next = self
            .script
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Script::Status(200));
        let scripted = self.clone();
        Box::pin(async move {
            scripted.started();
            let result = answer(next).await;
            scripted.running.lock().unwrap().0 -= 1;
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
}

async fn answer(script: Script) -> Result<Reply, SendError> {
    match script {
        Script::Status(status) => Ok(Reply {
            status,
            ..Reply::default()
        }),
        Script::RetryAfter(status, after) => Ok(Reply {
            status,
            retry_after: Some(after.to_owned()),
            ..Reply::default()
        }),
        Script::Unreachable => Err(SendError("scripted".to_owned())),
        Script::Panic => panic!("scripted"),
        Script::Slow(time) => {
            sleep(time).await;
            Ok(Reply {
                status: 200,
                ..Reply::default()
            })
        }
    }
}

struct Bench {
    producer: Producer,
    transmitter: Transmitter,
    transport: Arc<Scripted>,
    started: Instant,
}

impl Bench {
    fn start(script: impl IntoIterator<Item = Script>) -> Self {
        Self::start_with(script, |_| AutomaticMetrics::default())
    }

    fn start_with(
        script: impl IntoIterator<Item = Script>,
        metrics: impl FnOnce(&Arc<Mapper>) -> AutomaticMetrics,
    ) -> Self {
        let transport = Arc::new(Scripted {
            script: Mutex::new(script.into_iter().collect()),
            ..Scripted::default()
        });
        let options = WorkerOptions {
            endpoint: "http://endpoint".to_owned(),
            transport: Arc::new(transport.clone()),
            max_export_delay: DELAY,
            processors: TelemetryProcessors::default(),
        };
        let mapper = Mapper::new(
            "key",
            &Resource::builder_empty().build(),
            MappingOptions::default(),
        );
        let (producer, consumer) = queue(LIMITS);
        let mapper = Arc::new(mapper);
        let extras = Extras {
            metrics: metrics(&mapper),
            ..Extras::default()
        };
        let (transmitter, worker) = Worker::new(options, consumer, mapper);
        tokio::spawn(worker.with(extras).run());
        Self {
            producer,
            transmitter,
            transport,
            started: Instant::now(),
        }
    }

    fn push(&self, spans: usize) {
        for _ in 0..spans {
            assert!(self.producer.push(span("x")).is_ok());
        }
    }

    /// When the endpoint was asked, in whole seconds since the start.
    fn asked(&self) -> Vec<u64> {
        let asked = self.transport.asked.lock().unwrap();
        asked
            .iter()
            .map(|asked| (*asked - self.started).as_secs())
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_span_waits_for_others_no_longer_than_the_delay() {
    let bench = Bench::start([]);
    sleep(2 * SECOND).await;
    bench.push(1);
    sleep(SECOND).await;
    bench.push(1);
    sleep(60 * SECOND).await;
    assert_eq!(bench.asked(), [7]);
    bench.push(1);
    sleep(60 * SECOND).await;
    assert_eq!(bench.asked(), [7, 63 + 5]);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once() {
    let bench = Bench::start([]);
    bench.push(99);
    sleep(SECOND).await;
    assert!(bench.asked().is_empty());
    bench.push(1);
    sleep(SECOND).await;
    assert_eq!(bench.asked(), [1]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_after_growing_pauses() {
    let failures = [
        Script::Unreachable,
        Script::Status(503),
        Script::Panic,
        Script::Status(429),
    ];
    let bench = Bench::start(failures);
    bench.push(1);
    sleep(120 * SECOND).await;
    let asked = bench.transport.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 5);
    for (pair, longest) in asked.windows(2).zip([1, 2, 4, 8]) {
        let (pause, longest) = (pair[1] - pair[0], SECOND * longest);
        assert!(
            pause >= longest / 2 && pause <= longest + SECOND / 10,
            "{pause:?} of {longest:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let bench = Bench::start([
        Script::RetryAfter(429, "120"),
        Script::RetryAfter(503, "30"),
    ]);
    bench.push(1);
    sleep(600 * SECOND).await;
    assert_eq!(bench.asked(), [5, 125, 155]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_tries_once_in_a_pause_and_answers_that_items_are_held() {
    let bench = Bench::start([Script::RetryAfter(503, "3600"), Script::Status(503)]);
    bench.push(1);
    sleep(10 * SECOND).await;
    let transmitter = bench.transmitter.clone();
    let flush = tokio::task::spawn_blocking(move || transmitter.flush(60 * SECOND));
    let error = flush.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 items are held, to be sent again: the endpoint is out of reach"
    );
    assert_eq!(bench.asked(), [5, 10]);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_one_upload_probes_until_the_endpoint_answers() {
    let bench = Bench::start([Script::RetryAfter(503, "60"), Script::Slow(10 * SECOND)]);
    bench.push(100);
    sleep(SECOND).await;
    for _ in 0..5 {
        bench.push(100);
        sleep(SECOND).await;
    }
    sleep(120 * SECOND).await;
    assert_eq!(bench.asked(), [0, 60, 70, 70, 70, 70, 70]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_waits_for_its_retry_does_not_keep_the_worker_from_taking_more() {
    let bench = Bench::start([Script::RetryAfter(503, "3600")]);
    let more_than_the_queue_holds = 2 * LIMITS.items;
    for _ in 0..more_than_the_queue_holds / LIMITS.batch {
        bench.push(LIMITS.batch);
        sleep(SECOND).await;
    }
    assert_eq!(bench.asked(), [0]);
    assert_eq!(bench.transmitter.losses().dropped().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn uploads_run_side_by_side_up_to_a_limit() {
    let bench = Bench::start(vec![Script::Slow(60 * SECOND); 40]);
    for _ in 0..40 {
        bench.push(100);
        sleep(SECOND / 100).await;
    }
    sleep(600 * SECOND).await;
    assert_eq!(bench.asked().len(), 40);
    assert_eq!(bench.transport.running.lock().unwrap().1, 16);
}

const METRICS: AutomaticOptions = AutomaticOptions {
    standard_metrics: false,
    performance_counters: false,
    interval: Duration::from_secs(60),
    statistics_interval: None,
    compute_type: "unknown",
};

#[tokio::test(start_paused = true)]
async fn standard_metrics_are_sent_at_their_interval_if_there_are_any() {
    let mut counted = None;
    let bench = Bench::start_with([], |mapper| {
        let options = AutomaticOptions {
            standard_metrics: true,
            ..METRICS
        };
        let (metrics, spans) = AutomaticMetrics::new(&options, mapper);
        counted = Some(spans);
        metrics
    });
    let spans = counted.unwrap();
    spans.count(&mut record_of(span("x")));
    sleep(150 * SECOND).await;
    spans.count(&mut record_of(span("y")));
    sleep(600 * SECOND).await;
    assert_eq!(bench.asked(), [60, 180]);
}

#[tokio::test(start_paused = true)]
async fn performance_counters_are_sent_at_every_interval() {
    let bench = Bench::start_with([], |mapper| {
        let options = AutomaticOptions {
            performance_counters: true,
            ..METRICS
        };
        AutomaticMetrics::new(&options, mapper).0
    });
    sleep(200 * SECOND).await;
    assert_eq!(bench.asked(), [60, 120, 180]);
}

#[tokio::test(start_paused = true)]
async fn statistics_tell_of_others_but_not_of_themselves() {
    let bench = Bench::start_with([], |mapper| {
        let options = AutomaticOptions {
            statistics_interval: Some(900 * SECOND),
            ..METRICS
        };
        AutomaticMetrics::new(&options, mapper).0
    });
    bench.push(1);
    sleep(4_000 * SECOND).await;
    assert_eq!(bench.asked(), [5, 900]);
}
