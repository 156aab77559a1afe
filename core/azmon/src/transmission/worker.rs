//! The worker, which owns all items on their way. `event_loop` runs it, `jobs` encodes its items, and `shutdown` ends it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::item::{Consumer, ItemCounters, Taken};
use crate::live_metrics::StreamClients;
use crate::mapping::Mapper;
use crate::metrics::{BuiltinMetrics, SpanMetrics};
use crate::storage::StorageSettings;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::encoder::Encoder;
use crate::transmission::handle::{Command, DeliveryCallback, SourceId};
use crate::transmission::live::LiveFeed;
use crate::transmission::uploads::Uploads;
use crate::transmission::{Console, LiveWork, Shared, Transport, WorkerHandle};

#[derive(Debug)]
pub(crate) struct WorkerOptions {
    pub(crate) endpoint: String,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) storage: StorageSettings,
    /// Maximum size of encoded batches in memory, in bytes.
    pub(crate) max_memory: usize,
    /// Maximum time that an item waits for its batch to fill.
    pub(crate) max_export_delay: Duration,
    pub(crate) processors: TelemetryProcessors,
}

/// Additional tasks of a worker.
#[derive(Debug, Default)]
pub(crate) struct WorkerExtensions {
    /// The built-in metrics.
    pub(crate) metrics: BuiltinMetrics,
    /// The counters of spans for the built-in metrics.
    pub(crate) span_metrics: SpanMetrics,
    /// Prints all sent items.
    pub(crate) console: Option<Console>,
    /// Collects Live Metrics while a reader is subscribed.
    pub(crate) live: Option<LiveWork>,
    /// Sends Live Metrics of other programs, whose items are shown before they are queued.
    pub(crate) streams: Option<StreamClients>,
}

/// The worker's loop, which owns all items on their way.
pub(crate) struct Worker {
    pub(super) max_export_delay: Duration,
    pub(super) commands: UnboundedReceiver<Command>,
    pub(super) consumer: Consumer,
    pub(super) mapper: Arc<Mapper>,
    pub(super) counters: Arc<ItemCounters>,
    pub(super) shared: Arc<Shared>,
    pub(super) encoders: HashMap<SourceId, Encoder>,
    pub(super) metrics: BuiltinMetrics,
    pub(super) span_metrics: SpanMetrics,
    pub(super) live: Option<LiveFeed>,
    pub(super) streams: Option<StreamClients>,
    pub(super) jobs: VecDeque<Job>,
    /// Since when items have been waiting in the queue.
    pub(super) queued_since: Option<Instant>,
    pub(super) flushes: Vec<Flush>,
    pub(super) uploads: Uploads,
    pub(super) closing: Option<Closing>,
    pub(super) reported: Option<Instant>,
}

/// Items that are encoded together.
pub(super) struct Job {
    pub(super) source: SourceId,
    pub(super) mapper: Arc<Mapper>,
    pub(super) items: VecDeque<Taken>,
    pub(super) batches: HashSet<u64>,
    /// Number of slices in which its last batch has been growing.
    pub(super) slices: u32,
    /// Receives the delivery of exactly these items.
    pub(super) callback: Option<DeliveryCallback>,
    /// Reserved size of the exported items, in bytes.
    pub(super) reserved: usize,
}

/// A flush that waits for all items that existed at its start.
pub(super) struct Flush {
    /// Number of these items that are still in the queue.
    pub(super) queued: usize,
    pub(super) is_measured: bool,
    pub(super) callback: DeliveryCallback,
}

/// A running shutdown.
pub(super) struct Closing {
    /// The deadline of the network; the disk follows.
    pub(super) network: Instant,
    pub(super) drain: Instant,
    /// The deadline of encoding for the network, so that the last answers can arrive.
    pub(super) encode: Instant,
    pub(super) deadline: Instant,
    pub(super) is_measured: bool,
    pub(super) callback: Option<DeliveryCallback>,
}

impl Worker {
    /// Makes a worker that takes items from `consumer` and maps them with `mapper`.
    pub(crate) fn new(
        options: WorkerOptions,
        consumer: Consumer,
        mapper: Arc<Mapper>,
    ) -> (WorkerHandle, Self) {
        let WorkerOptions {
            endpoint,
            transport,
            storage,
            max_memory,
            max_export_delay,
            processors,
        } = options;
        let shared = Arc::new(Shared::new(consumer.clone()));
        let (handle, commands) = WorkerHandle::new(shared.clone());
        let counters = shared.counters.clone();
        let recovered = shared.recovered.clone();
        let encoder = Encoder::new(counters.clone(), processors);
        let uploads = Uploads::new(
            transport,
            endpoint,
            storage,
            max_memory,
            counters.clone(),
            recovered,
            shared.status.clone(),
        );
        let worker = Self {
            max_export_delay,
            commands,
            consumer,
            mapper,
            counters,
            shared,
            encoders: HashMap::from([(SourceId::MAIN, encoder)]),
            metrics: BuiltinMetrics::default(),
            span_metrics: SpanMetrics::default(),
            live: None,
            streams: None,
            jobs: VecDeque::new(),
            queued_since: None,
            flushes: Vec::new(),
            uploads,
            closing: None,
            reported: None,
        };
        (handle, worker)
    }

    /// Adds extensions to the worker.
    pub(crate) fn with(mut self, extensions: WorkerExtensions) -> Self {
        self.uploads.statistics = extensions.metrics.statistics();
        self.metrics = extensions.metrics;
        self.span_metrics = extensions.span_metrics;
        if let Some(console) = extensions.console
            && let Some(encoder) = self.encoders.get_mut(&SourceId::MAIN)
        {
            encoder.show_on(console);
        }
        if let Some(live) = extensions.live
            && let Some(encoder) = self.encoders.get_mut(&SourceId::MAIN)
        {
            encoder.show_live(live.live.clone());
            self.live = Some(LiveFeed::new(live));
        }
        self.streams = extensions.streams;
        self
    }
}
