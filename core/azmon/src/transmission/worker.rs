//! The worker's loop, which owns all items on their way.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{Context, otel_error, otel_warn};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::error::Undelivered;
use crate::item::{Consumer, DropReason, Item, ItemCounters, Taken};
use crate::live_metrics::StreamClients;
use crate::mapping::Mapper;
use crate::metrics::{BuiltinMetrics, SpanMetrics};
use crate::storage::StorageSettings;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::due::{Due, Situation, due};
use crate::transmission::encoder::Encoder;
use crate::transmission::handle::{Command, DeliveryCallback, SourceId};
use crate::transmission::live::{LOOK, LiveFeed, Running};
use crate::transmission::uploads::Uploads;
use crate::transmission::{Console, LiveWork, Shared, Transport, WorkerHandle};

/// Maximum number of items that are taken from the queue at once.
const ITEMS_AT_ONCE: usize = 4_096;
/// Maximum time of encoding before the network is served: a slow processor must not stop uploads.
const SLICE: Duration = Duration::from_millis(20);
/// Maximum number of slices in which a batch grows, if encoding is slow.
const SLICES_OF_A_BATCH: u32 = 10;
/// How long the worker keeps sending after every handle was dropped without `shutdown`.
const ABANDONED_SHUTDOWN: Duration = Duration::from_secs(2);
/// Maximum time in which a shutdown sends the batches of earlier processes.
const DRAIN_AT_END: Duration = Duration::from_secs(2);
/// Interval of reports about dropped items.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);
/// Maximum time that an item waits for its batch in durable mode, so that it is on disk within 200 ms.
const DURABLE_DELAY: Duration = Duration::from_millis(50);
/// The fraction of a shutdown's timeout that is reserved for the disk.
const DISK_SHARE: u32 = 4;
/// The fraction of a shutdown's timeout in which no upload starts, so that the last answers can arrive.
const ANSWERS_SHARE: u32 = 8;
/// Maximum of the reserve for answers.
const MAX_ANSWERS_TIME: Duration = Duration::from_millis(500);
/// Maximum of the reserve for the disk.
const MAX_DISK_TIME: Duration = Duration::from_secs(2);

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
    max_export_delay: Duration,
    commands: UnboundedReceiver<Command>,
    consumer: Consumer,
    mapper: Arc<Mapper>,
    counters: Arc<ItemCounters>,
    shared: Arc<Shared>,
    encoders: HashMap<SourceId, Encoder>,
    metrics: BuiltinMetrics,
    span_metrics: SpanMetrics,
    live: Option<LiveFeed>,
    streams: Option<StreamClients>,
    jobs: VecDeque<Job>,
    /// Since when items have been waiting in the queue.
    queued_since: Option<Instant>,
    flushes: Vec<Flush>,
    uploads: Uploads,
    closing: Option<Closing>,
    reported: Option<Instant>,
}

/// Items that are encoded together.
struct Job {
    source: SourceId,
    mapper: Arc<Mapper>,
    items: VecDeque<Taken>,
    batches: HashSet<u64>,
    /// Number of slices in which its last batch has been growing.
    slices: u32,
    /// Receives the delivery of exactly these items.
    callback: Option<DeliveryCallback>,
    /// Reserved size of the exported items, in bytes.
    reserved: usize,
}

/// A flush that waits for all items that existed at its start.
struct Flush {
    /// Number of these items that are still in the queue.
    queued: usize,
    is_measured: bool,
    callback: DeliveryCallback,
}

/// A running shutdown.
struct Closing {
    /// The deadline of the network; the disk follows.
    network: Instant,
    drain: Instant,
    /// The deadline of encoding for the network, so that the last answers can arrive.
    encode: Instant,
    deadline: Instant,
    is_measured: bool,
    callback: Option<DeliveryCallback>,
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

    /// Starts the thread `azmon-worker`. It ends after a shutdown, or once every handle is dropped.
    ///
    /// # Errors
    ///
    /// Fails if the worker thread or its event loop cannot be initialised.
    pub(crate) fn spawn(self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("azmon-files")
            .build()?;
        std::thread::Builder::new()
            .name("azmon-worker".to_owned())
            .spawn(move || {
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                let _alive = DeathNotice(self.shared.clone());
                runtime.block_on(self.run());
                // A pending name resolution or a hanging disk must not delay the end.
                runtime.shutdown_background();
            })?;
        Ok(())
    }

    pub(crate) async fn run(mut self) {
        self.metrics.start(Instant::now());
        let _live = self.live.as_mut().and_then(LiveFeed::start);
        let streams = self.streams.take();
        let _streams = streams.map(|streams| Running::of(streams.run()));
        loop {
            let now = Instant::now();
            let todo = self.due(now);
            if todo.take || todo.measure {
                // The metrics count spans when the worker takes them.
                self.take_queue();
            }
            if todo.measure {
                self.measure(now);
            }
            self.measure_for_flushes();
            self.measure_for_closing();
            if !self.is_too_late(now) {
                self.encode(now);
            }
            self.show_live(now);
            self.advance_flushes();
            self.uploads.dispatch(now);
            self.uploads.answer_waiters(now);
            self.uploads.update_status(now);
            self.report_drops(now);
            if self.is_done(now) {
                return self.end().await;
            }
            self.wait().await;
        }
    }

    /// Decides which actions are due at `now`.
    fn due(&mut self, now: Instant) -> Due {
        let queued = self.consumer.len();
        if queued == 0 {
            self.queued_since = None;
        } else {
            self.queued_since.get_or_insert(now);
        }
        let is_flushed = self.flushes.iter().any(|flush| flush.queued > 0);
        let delay = if self.uploads.disk.is_durable(now) {
            self.max_export_delay.min(DURABLE_DELAY)
        } else {
            self.max_export_delay
        };
        // A subscribed reader sees an item within a second.
        let is_watched = self.live.as_ref().is_some_and(LiveFeed::is_watched);
        let delay = if is_watched { delay.min(LOOK) } else { delay };
        due(&Situation {
            now,
            queued,
            queued_since: self.queued_since,
            batch: self.consumer.batch(),
            delay,
            is_urgent: is_flushed || self.closing.is_some(),
            taken: self.jobs.len(),
            has_room: self.uploads.has_room() && !self.is_too_late(now),
            metrics: self.metrics.next().filter(|_| self.closing.is_none()),
            uploads: self.uploads.next_deadline(now),
            end: self.closing.as_ref().map(|closing| {
                let times = [closing.drain, closing.encode, closing.network];
                let next = times.into_iter().filter(|time| *time > now).min();
                next.unwrap_or(closing.deadline)
            }),
        })
    }

    /// Whether it is too late to start an upload.
    fn is_too_late(&self, now: Instant) -> bool {
        let mut closing = self.closing.iter();
        closing.any(|closing| now >= closing.encode)
    }

    /// Collects the metrics that are due.
    fn measure(&mut self, now: Instant) {
        self.take_unsampled(now);
        let statistics = &mut self.uploads.statistics;
        let envelopes = self
            .metrics
            .due(now, &self.mapper, &self.counters, statistics);
        self.add_made(envelopes.into_iter().map(Item::from));
    }

    /// Queues finished items for encoding.
    fn add_made(&mut self, items: impl Iterator<Item = Item>) {
        let items: VecDeque<_> = items.map(Taken::free).collect();
        if !items.is_empty() {
            self.counters
                .take(items.iter().map(|taken| taken.item.label()));
            let last = self.jobs.back_mut();
            // They share a batch with the items that are about to be encoded.
            if let Some(last) = last.filter(|job| job.source == SourceId::MAIN) {
                last.items.extend(items);
            } else {
                let job = Self::job(SourceId::MAIN, self.mapper.clone(), items);
                self.jobs.push_back(job);
            }
        }
    }

    fn job(source: SourceId, mapper: Arc<Mapper>, items: VecDeque<Taken>) -> Job {
        Job {
            source,
            mapper,
            items,
            batches: HashSet::new(),
            slices: 0,
            callback: None,
            reserved: 0,
        }
    }

    /// Takes the items of one step from the queue, and counts them for the metrics. Requests come first, so that the
    /// other items of their operations find the name.
    fn take_queue(&mut self) {
        let mut taken = Vec::new();
        self.consumer.take(ITEMS_AT_ONCE, &mut taken);
        self.queued_since = None;
        for flush in &mut self.flushes {
            flush.queued = flush.queued.saturating_sub(taken.len());
        }
        if taken.is_empty() {
            // A producer counts an item before it adds the item.
            for flush in &mut self.flushes {
                flush.queued = flush.queued.min(self.consumer.len());
            }
            return;
        }
        self.count(&mut taken);
        self.counters
            .take(taken.iter().map(|taken| taken.item.label()));
        let (roots, others): (Vec<_>, Vec<_>) = taken
            .into_iter()
            .partition(|taken| taken.item.as_ref().is_root());
        let items = roots.into_iter().chain(others).collect();
        let job = Self::job(SourceId::MAIN, self.mapper.clone(), items);
        self.jobs.push_back(job);
    }

    /// Lets metrics know of spans. A defect there must not cost the thread.
    fn count(&self, items: &mut [Taken]) {
        for taken in items {
            if let Item::Span(span) = &mut taken.item {
                let counted = catch_unwind(AssertUnwindSafe(|| self.span_metrics.count(span)));
                if counted.is_err() {
                    otel_error!(name: "Worker.Panicked");
                }
            }
        }
    }

    /// Encodes the taken items, for a short time.
    fn encode(&mut self, start: Instant) {
        let Self {
            jobs,
            encoders,
            uploads,
            counters,
            shared,
            closing,
            ..
        } = self;
        while uploads.has_room()
            && let Some(job) = jobs.front_mut()
        {
            let Some(encoder) = encoders.get_mut(&job.source) else {
                let labels = job.items.iter().map(|taken| taken.item.label());
                counters.drop_open(DropReason::Shutdown, labels);
                job.items.clear();
                finish_job(jobs, uploads, shared);
                continue;
            };
            let mut is_late = false;
            while !is_late && let Some(mut taken) = job.items.pop_front() {
                let full = encoder.add_taken(&job.mapper, &mut taken.item);
                job.batches.extend(full.map(|batch| uploads.add(batch)));
                is_late = Instant::now().saturating_duration_since(start) >= SLICE;
                is_late |= !uploads.has_room();
            }
            // A batch keeps growing between two slices, unless this takes too long or the deadline is near.
            job.slices += 1;
            let is_long = closing.is_some() || job.slices >= SLICES_OF_A_BATCH;
            if job.items.is_empty() || is_long || !uploads.has_room() {
                job.slices = 0;
                let rest = encoder.finish();
                job.batches.extend(rest.map(|batch| uploads.add(batch)));
            }
            if job.items.is_empty() {
                finish_job(jobs, uploads, shared);
            }
            if is_late {
                return;
            }
        }
    }

    /// Lets Live Metrics see the items that sampling left out, for a short time.
    fn show_live(&mut self, start: Instant) {
        if self.live.as_ref().is_some_and(|live| live.is_due(start)) {
            self.take_unsampled(start);
        }
        let Some(mut live) = self.live.take() else {
            return;
        };
        if let Some(encoder) = self.encoders.get_mut(&SourceId::MAIN) {
            while Instant::now().saturating_duration_since(start) < SLICE
                && let Some(mut taken) = live.pop()
            {
                encoder.observe(&self.mapper, &mut taken.item);
            }
        }
        self.live = Some(live);
    }

    /// Takes the items that sampling left out during a subscription, and counts them for the metrics.
    fn take_unsampled(&mut self, now: Instant) {
        if let Some(mut live) = self.live.take() {
            live.take(now, |items| self.count(items));
            self.live = Some(live);
        }
    }

    /// Collects the metrics for flushes whose items are all taken, and therefore counted.
    fn measure_for_flushes(&mut self) {
        let waits = |flush: &Flush| flush.queued == 0 && !flush.is_measured;
        if self.flushes.iter().any(waits) && self.uploads.has_room() {
            for flush in &mut self.flushes {
                flush.is_measured |= flush.queued == 0;
            }
            self.take_unsampled(Instant::now());
            let envelopes = self.metrics.flush();
            self.add_made(envelopes.into_iter().map(Item::from));
        }
    }

    /// Registers flushes whose items are all encoded as waiters of their batches.
    fn advance_flushes(&mut self) {
        if self.flushes.is_empty() {
            return;
        }
        let is_blocked = !self.uploads.has_room();
        let is_encoded = self.jobs.is_empty();
        let done = |flush: &mut Flush| is_blocked || (flush.is_measured && is_encoded);
        for flush in self.flushes.extract_if(.., done) {
            let positions = self.uploads.positions(Instant::now());
            if is_blocked && positions.active.is_empty() {
                let waiting = positions.held_items + self.consumer.len();
                (flush.callback)(Err(Undelivered::Held(waiting)));
                continue;
            }
            let batches = &positions.active | &positions.held;
            self.uploads.waiters.add(batches, flush.callback);
        }
    }

    /// Collects the last metrics once all items are taken, and therefore counted.
    fn measure_for_closing(&mut self) {
        let is_empty = self.consumer.len() == 0;
        let Some(closing) = &mut self.closing else {
            return;
        };
        if is_empty && !closing.is_measured {
            closing.is_measured = true;
            self.take_unsampled(Instant::now());
            let statistics = &mut self.uploads.statistics;
            let envelopes = self.metrics.end(&self.mapper, &self.counters, statistics);
            self.add_made(envelopes.into_iter().map(Item::from));
        }
    }

    async fn wait(&mut self) {
        let now = Instant::now();
        let todo = self.due(now);
        if todo.is_now() {
            // The network is served between two steps, without waiting for it.
            tokio::select! {
                biased;
                command = self.commands.recv(), if self.closing.is_none() => self.obey(command),
                () = self.uploads.progress() => {}
                () = tokio::task::yield_now() => {}
            }
            return;
        }
        let has_room = self.uploads.has_room();
        tokio::select! {
            biased;
            command = self.commands.recv(), if self.closing.is_none() => self.obey(command),
            () = self.uploads.progress() => {}
            () = self.consumer.woken(), if has_room => {}
            () = live_due(self.live.as_ref()) => {}
            () = tokio::time::sleep_until(todo.wake.unwrap_or(now)), if todo.wake.is_some() => {}
        }
    }

    fn obey(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Open { source, processors }) => {
                let encoder = Encoder::new(self.counters.clone(), processors);
                self.encoders.insert(source, encoder);
            }
            Some(Command::Forget { source }) => {
                self.encoders.remove(&source);
            }
            Some(Command::Export {
                source,
                mapper,
                items,
                reserved,
                callback,
            }) => {
                let now = Instant::now();
                if !self.uploads.has_room() && self.uploads.is_stuck(now) {
                    for item in &items {
                        self.counters.count(DropReason::QueueFull, item.label(), 1);
                    }
                    self.shared.release(reserved);
                    return callback(Err(Undelivered::Dropped(items.len())));
                }
                self.counters.take(items.iter().map(Item::label));
                let items = items.into_iter().map(Taken::free).collect();
                let job = Job {
                    callback: Some(callback),
                    reserved,
                    ..Self::job(source, mapper, items)
                };
                self.jobs.push_back(job);
            }
            Some(Command::Flush { callback }) => {
                self.uploads.try_now(Instant::now());
                self.flushes.push(Flush {
                    queued: self.consumer.len(),
                    is_measured: false,
                    callback,
                });
            }
            Some(Command::Shutdown { deadline, callback }) => self.close(deadline, Some(callback)),
            None => self.close(Instant::now() + ABANDONED_SHUTDOWN, None),
        }
    }

    fn close(&mut self, deadline: Instant, callback: Option<DeliveryCallback>) {
        let now = Instant::now();
        let time = deadline.saturating_duration_since(now);
        let for_disk = if self.uploads.disk.is_on(now) {
            (time / DISK_SHARE).min(MAX_DISK_TIME)
        } else {
            Duration::ZERO
        };
        self.uploads.try_now(now);
        let network = deadline.checked_sub(for_disk).unwrap_or(now);
        let for_answers = (time / ANSWERS_SHARE).min(MAX_ANSWERS_TIME);
        self.closing = Some(Closing {
            network,
            encode: network.checked_sub(for_answers).unwrap_or(network),
            drain: now + DRAIN_AT_END.min(time / 2),
            deadline,
            is_measured: false,
            callback,
        });
    }

    fn report_drops(&mut self, now: Instant) {
        let is_due = self
            .reported
            .is_none_or(|last| now.saturating_duration_since(last) >= REPORT_INTERVAL);
        if !is_due {
            return;
        }
        for (counters, whose) in [
            (&self.counters, "this process"),
            (&self.shared.recovered, "earlier processes"),
        ] {
            if !counters.take_unreported() {
                continue;
            }
            self.reported = Some(now);
            for dropped in counters.dropped() {
                otel_warn!(
                    name: "Export.ItemsDropped",
                    reason = dropped.reason.as_str(),
                    telemetry_type = dropped.telemetry_type.as_str(),
                    of = whose,
                    total = dropped.count
                );
            }
        }
    }

    fn is_done(&self, now: Instant) -> bool {
        self.closing.as_ref().is_some_and(|closing| {
            let is_encoded = closing.is_measured && self.jobs.is_empty();
            let is_idle = is_encoded && self.uploads.is_idle();
            let is_drained = now >= closing.drain || !self.uploads.may_drain(now);
            let is_over = now >= closing.encode && self.uploads.is_idle();
            (is_idle && is_drained) || is_over || now >= closing.network
        })
    }

    /// Stores or counts the remaining items, and reports the result.
    async fn end(mut self) {
        let (deadline, callback) = match self.closing.take() {
            Some(closing) => (closing.deadline, closing.callback),
            None => (Instant::now(), None),
        };
        if self.uploads.disk.is_on(Instant::now()) {
            self.encode_rest(deadline).await;
        }
        // A batch may still be growing.
        for encoder in self.encoders.values_mut() {
            if let Some(batch) = encoder.finish() {
                self.uploads.add(batch);
            }
        }
        self.uploads.store_all(deadline).await;
        let left = self.uploads.end() + self.drop_rest();
        self.uploads.update_status(Instant::now());
        self.reported = None;
        self.report_drops(Instant::now());
        let failed = || Undelivered::Dropped(left);
        for flush in self.flushes.drain(..) {
            (flush.callback)(Err(failed()));
        }
        self.shared.ended();
        if let Some(callback) = callback {
            callback(if left == 0 { Ok(()) } else { Err(failed()) });
        }
    }

    /// Encodes the remaining items for the disk, as far as the deadline allows.
    async fn encode_rest(&mut self, deadline: Instant) {
        let reserve = deadline.saturating_duration_since(Instant::now()) / 4;
        let until = deadline.checked_sub(reserve).unwrap_or(deadline);
        self.uploads.stop_sending();
        while Instant::now() < until && (self.consumer.len() > 0 || !self.jobs.is_empty()) {
            if self.jobs.is_empty() {
                let before = self.consumer.len();
                self.take_queue();
                if self.jobs.is_empty() && self.consumer.len() >= before {
                    return;
                }
            }
            if !self.uploads.has_room() {
                self.uploads.store_all(until).await;
                if !self.uploads.has_room() {
                    return;
                }
            }
            self.encode(Instant::now());
        }
    }

    /// Counts the items that are still in the queue, or taken and not encoded.
    fn drop_rest(&mut self) -> usize {
        let jobs = std::mem::take(&mut self.jobs);
        let mut left = 0;
        for job in jobs {
            left += job.items.len();
            let labels = job.items.iter().map(|taken| taken.item.label());
            self.counters.drop_open(DropReason::Shutdown, labels);
            if let Some(callback) = job.callback {
                callback(Err(Undelivered::Dropped(job.items.len())));
            }
        }
        left + self.shared.drop_queue()
    }
}

async fn live_due(live: Option<&LiveFeed>) {
    match live {
        Some(live) => live.due().await,
        None => std::future::pending().await,
    }
}

/// Registers the callback of a finished job as a waiter of its batches.
fn finish_job(jobs: &mut VecDeque<Job>, uploads: &mut Uploads, shared: &Shared) {
    let Some(job) = jobs.pop_front() else { return };
    shared.release(job.reserved);
    if let Some(callback) = job.callback {
        uploads.waiters.add(job.batches, callback);
    }
}

/// Marks the worker as ended, even if its thread panics.
struct DeathNotice(Arc<Shared>);

impl Drop for DeathNotice {
    fn drop(&mut self) {
        if self.0.ended() {
            otel_error!(name: "Worker.Died");
        }
    }
}
