//! A worker with a scripted endpoint.

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_sdk::Resource;
use tokio::time::{Instant, sleep};

use crate::envelope::{Data, Envelope};
use crate::fixtures::span;
use crate::item::{Item, Producer, QueueLimits, SignalReport, queue};
use crate::mapping::{Mapper, MappingOptions};
use crate::metrics::BuiltinMetrics;
use crate::storage::StorageSettings;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::handle::Delivery;
use crate::transmission::{
    Reply, SendError, Sending, SourceId, Transport, Worker, WorkerExtensions, WorkerHandle,
    WorkerOptions,
};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MAX_MEMORY: usize = 1 << 20;
pub(super) const DELAY: Duration = Duration::from_secs(5);
pub(super) const LIMITS: QueueLimits = QueueLimits {
    items: 10_000,
    bytes: 1 << 30,
    batch: 100,
};

#[derive(Debug, Clone)]
pub(super) enum Script {
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
pub(super) fn track(status: u16, items: &[(usize, u16)]) -> Script {
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

pub(super) type Rule = Box<dyn FnMut(&[String]) -> Option<Script> + Send>;

/// Answers by a rule, then by a script, then 200. Records the times of requests, the accepted items, and the maximum
/// number of concurrent uploads.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) rule: Mutex<Option<Rule>>,
    pub(super) script: Mutex<VecDeque<Script>>,
    pub(super) asked: Mutex<Vec<Instant>>,
    pub(super) taken: Mutex<BTreeMap<String, usize>>,
    pub(super) running: Mutex<(usize, usize)>,
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
    pub(super) fn started(&self) {
        let mut running = self.running.lock().unwrap();
        running.0 += 1;
        running.1 = running.1.max(running.0);
    }

    /// Keeps the items that the service would accept.
    pub(super) fn take(&self, names: &[String], reply: &Reply) {
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
    pub(super) fn arrived_once(&self) -> usize {
        let taken = self.taken.lock().unwrap();
        let doubled: Vec<_> = taken.iter().filter(|(_, times)| **times > 1).collect();
        assert!(doubled.is_empty(), "{doubled:?}");
        taken.len()
    }
}

/// The names of the spans in a body.
pub(super) fn names(body: &[u8]) -> Vec<String> {
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

pub(super) async fn answer(script: Script) -> Result<Reply, SendError> {
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
pub(super) struct TestWorker {
    pub(super) producer: Producer,
    pub(super) handle: WorkerHandle,
    pub(super) transport: Arc<Scripted>,
    pub(super) mapper: Arc<Mapper>,
    pub(super) started: Instant,
    pub(super) pushed: Mutex<u64>,
}

pub(super) struct Setup {
    pub(super) storage: StorageSettings,
    pub(super) delay: Duration,
    pub(super) limits: QueueLimits,
    pub(super) processors: TelemetryProcessors,
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
    pub(super) fn start(script: impl IntoIterator<Item = Script>) -> Self {
        Self::start_with(script, |_| BuiltinMetrics::default())
    }

    pub(super) fn start_with(
        script: impl IntoIterator<Item = Script>,
        metrics: impl FnOnce(&Arc<Mapper>) -> BuiltinMetrics,
    ) -> Self {
        let transport = Arc::new(Scripted {
            script: Mutex::new(script.into_iter().collect()),
            ..Scripted::default()
        });
        Self::with(transport, Setup::default(), metrics)
    }

    pub(super) fn set_up(setup: Setup) -> Self {
        Self::with(Arc::default(), setup, |_| BuiltinMetrics::default())
    }

    pub(super) fn with(
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
    pub(super) fn rule(&self, rule: impl FnMut(&[String]) -> Option<Script> + Send + 'static) {
        *self.transport.rule.lock().unwrap() = Some(Box::new(rule));
    }

    /// Pushes spans with their own names, and counts refused ones as the intake does.
    pub(super) fn push(&self, spans: usize) {
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
    pub(super) fn push_named(&self, name: &str) {
        *self.pushed.lock().unwrap() += 1;
        self.producer.push(span(name)).unwrap();
    }

    /// The times of the requests, in whole seconds since the start.
    pub(super) fn asked(&self) -> Vec<u64> {
        let asked = self.transport.asked.lock().unwrap();
        asked
            .iter()
            .map(|asked| (*asked - self.started).as_secs())
            .collect()
    }

    pub(super) async fn flush(&self, timeout: Duration) -> Delivery {
        let handle = self.handle.clone();
        let flush = tokio::task::spawn_blocking(move || handle.flush(timeout));
        flush.await.unwrap()
    }

    /// Exports spans, as a plain exporter does.
    pub(super) async fn export(&self, spans: usize) -> Delivery {
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
    pub(super) fn report(&self) -> SignalReport {
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
