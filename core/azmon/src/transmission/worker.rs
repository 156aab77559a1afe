use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{Context, otel_error, otel_warn};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use crate::envelope::Envelope;
use crate::error::Undelivered;
use crate::item::Consumer;
use crate::item::{DropReason, ItemKind, Losses};
use crate::item::{Item, ItemRef};
use crate::mapping::Mapper;
use crate::metrics::{AutomaticMetrics, SpanMetrics};
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::batch::Batch;
use crate::transmission::encoder::Encoder;
use crate::transmission::gate::Gate;
use crate::transmission::outbox::Outbox;
use crate::transmission::transmitter::{Answer, Command, Exported};
use crate::transmission::waiters::Waiters;
use crate::transmission::{Console, Reply, SendError, Transmitter, Transport};

/// Uploads at the same time: with batches of 4,096 items, more than 500,000 items per second to an endpoint
/// that is 100 ms away.
const MOST_UPLOADS: usize = 16;
/// Items that are encoded at once, between which the network is served.
const ITEMS_AT_ONCE: usize = 4_096;
/// What the worker gives the network when nobody shut it down, but everybody who could has gone.
const ABANDONED_SHUTDOWN: Duration = Duration::from_secs(2);
/// How often losses are said.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct WorkerOptions {
    pub(crate) endpoint: String,
    pub(crate) transport: Arc<dyn Transport>,
    /// Longest time that an item waits for others.
    pub(crate) max_export_delay: Duration,
    pub(crate) processors: TelemetryProcessors,
}

/// What a worker does beside sending what it is given.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// The metrics that nobody else collects.
    pub(crate) metrics: AutomaticMetrics,
    /// What counts the spans for them.
    pub(crate) span_metrics: SpanMetrics,
    /// Where everything that is sent is shown.
    pub(crate) console: Option<Console>,
}

/// The loop that owns everything on its way.
pub(crate) struct Worker {
    pub(super) options: WorkerOptions,
    commands: UnboundedReceiver<Command>,
    consumer: Consumer,
    mapper: Arc<Mapper>,
    pub(super) losses: Arc<Losses>,
    encoder: Encoder,
    pub(super) metrics: AutomaticMetrics,
    span_metrics: SpanMetrics,
    items: Vec<Item>,
    /// Since when something waits in the queue.
    queued_since: Option<Instant>,
    pub(super) outbox: Outbox,
    uploads: JoinSet<Result<Reply, SendError>>,
    pub(super) under_way: HashMap<Id, Batch>,
    pub(super) gate: Gate,
    pub(super) redirects: u32,
    pub(super) waiters: Waiters,
    closing: Option<Closing>,
    reported: Option<Instant>,
}

/// A shutdown under way.
struct Closing {
    deadline: Instant,
    answer: Option<Answer>,
}

impl Worker {
    /// Makes a worker that takes items from `consumer` and maps them with `mapper`.
    pub(crate) fn new(
        mut options: WorkerOptions,
        consumer: Consumer,
        mapper: Arc<Mapper>,
    ) -> (Transmitter, Self) {
        let processors = std::mem::take(&mut options.processors);
        let losses = Arc::new(Losses::default());
        let (transmitter, commands) = Transmitter::new(losses.clone());
        let worker = Self {
            options,
            commands,
            consumer,
            mapper,
            encoder: Encoder::new(losses.clone(), processors),
            losses,
            metrics: AutomaticMetrics::default(),
            span_metrics: SpanMetrics::default(),
            items: Vec::new(),
            queued_since: None,
            outbox: Outbox::default(),
            uploads: JoinSet::new(),
            under_way: HashMap::new(),
            gate: Gate::new(),
            redirects: 0,
            waiters: Waiters::default(),
            closing: None,
            reported: None,
        };
        (transmitter, worker)
    }

    /// Gives the worker more to do.
    pub(crate) fn with(mut self, extras: Extras) -> Self {
        self.metrics = extras.metrics;
        self.span_metrics = extras.span_metrics;
        if let Some(console) = extras.console {
            self.encoder.show_on(console);
        }
        self
    }

    /// Starts the thread `azmon-worker`, which ends after a shutdown, or when every handle is gone.
    ///
    /// # Errors
    ///
    /// When the system gives no thread or no event queue.
    pub(crate) fn spawn(self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("azmon-worker".to_owned())
            .spawn(move || {
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                runtime.block_on(self.run());
            })?;
        Ok(())
    }

    pub(crate) async fn run(mut self) {
        self.metrics.start(Instant::now());
        loop {
            self.measure();
            let more = self.collect();
            self.dispatch();
            self.answer_waiters();
            self.report_losses();
            if self.is_done() {
                return self.end();
            }
            self.wait(more).await;
        }
    }

    /// Encodes the metrics that are due, with what waits. While there is no room, they go on counting.
    fn measure(&mut self) {
        if !self.outbox.has_room() {
            return;
        }
        let now = Instant::now();
        if self.metrics.next().is_none_or(|next| now < next) {
            return;
        }
        self.take_queue();
        let due = self.metrics.due(now, &self.mapper, &self.losses);
        self.add(due);
        self.encode_items();
    }

    /// Lets made items go with the next ones of the queue.
    fn add(&mut self, envelopes: Vec<Envelope<'static>>) {
        self.items.extend(envelopes.into_iter().map(Item::from));
    }

    /// Encodes what waits in the queue if it is time; true if more waits than one step takes.
    fn collect(&mut self) -> bool {
        let waits = self.consumer.len() > 0;
        if !waits {
            self.queued_since = None;
            return false;
        }
        let now = Instant::now();
        let since = *self.queued_since.get_or_insert(now);
        let due = now >= since + self.options.max_export_delay;
        if !self.outbox.has_room() || !(due || self.consumer.fills_a_batch()) {
            return false;
        }
        self.encode_queue();
        self.queued_since = None;
        self.consumer.fills_a_batch()
    }

    fn encode_queue(&mut self) {
        self.take_queue();
        self.encode_items();
    }

    /// Takes what one step takes from the queue, and lets metrics know of it.
    fn take_queue(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        self.consumer.take(ITEMS_AT_ONCE, &mut items);
        self.count(&mut items);
        self.items = items;
    }

    fn encode_items(&mut self) {
        let items = std::mem::take(&mut self.items);
        let mapper = self.mapper.clone();
        self.encode(&mapper, items.iter().map(Item::as_ref));
        self.items = items;
        self.items.clear();
    }

    /// Writes what was put off, and lets metrics know of spans. A defect there must not cost the thread.
    fn count(&self, items: &mut [Item]) {
        for item in items {
            if let Item::Span(span) = item {
                let counted = catch_unwind(AssertUnwindSafe(|| {
                    span.complete();
                    self.span_metrics.count(span);
                }));
                if counted.is_err() {
                    otel_error!(name: "Worker.Panicked");
                }
            }
        }
    }

    fn encode<'a>(&mut self, mapper: &Mapper, items: impl Iterator<Item = ItemRef<'a>> + Clone) {
        let Self {
            encoder, outbox, ..
        } = self;
        encoder.encode(mapper, items, |batch| outbox.add(batch));
    }

    /// Sends what may be sent now.
    fn dispatch(&mut self) {
        let width = self.gate.width(Instant::now(), MOST_UPLOADS);
        while self.under_way.len() < width
            && let Some(batch) = self.outbox.send()
        {
            let upload = self
                .options
                .transport
                .post(&self.options.endpoint, batch.body.clone());
            let id = self.uploads.spawn(upload).id();
            self.under_way.insert(id, batch);
        }
    }

    async fn wait(&mut self, more: bool) {
        let deadline = self.next_deadline();
        let collecting = self.outbox.has_room();
        tokio::select! {
            biased;
            command = self.commands.recv(), if self.closing.is_none() => self.obey(command),
            Some(answered) = self.uploads.join_next_with_id() => self.settle(answered),
            () = tokio::task::yield_now(), if more => {}
            () = self.consumer.woken(), if collecting => {}
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
        }
    }

    /// The next time at which something is to be done that nobody announces.
    fn next_deadline(&self) -> Option<Instant> {
        let due = self.queued_since.filter(|_| self.outbox.has_room());
        let due = due.map(|since| since + self.options.max_export_delay);
        let retry = self
            .gate
            .opens()
            .filter(|_| !self.outbox.is_empty() && self.under_way.is_empty());
        let end = self.closing.as_ref().map(|closing| closing.deadline);
        let metrics = self.metrics.next().filter(|_| self.outbox.has_room());
        [due, retry, end, metrics].into_iter().flatten().min()
    }

    fn obey(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Export {
                mapper,
                items,
                answer,
            }) => {
                match &items {
                    Exported::Spans(spans) => {
                        self.encode(&mapper, spans.iter().map(|span| ItemRef::Span(span.into())))
                    }
                    Exported::Items(items) => self.encode(&mapper, items.iter().map(Item::as_ref)),
                }
                self.gate.try_now(Instant::now());
                self.waiters.add(self.encoder.last(), answer);
            }
            Some(Command::Flush { answer }) => {
                self.encode_all(|worker| worker.metrics.flush());
                self.gate.try_now(Instant::now());
                self.waiters.add(self.encoder.last(), answer);
            }
            Some(Command::Shutdown { deadline, answer }) => self.close(deadline, Some(answer)),
            None => self.close(Instant::now() + ABANDONED_SHUTDOWN, None),
        }
    }

    fn close(&mut self, deadline: Instant, answer: Option<Answer>) {
        self.encode_all(|worker| worker.metrics.end(&worker.mapper, &worker.losses));
        self.gate.try_now(Instant::now());
        self.closing = Some(Closing { deadline, answer });
    }

    /// Encodes all that waits, and then the metrics, which have counted it by then.
    ///
    /// The queue's limits bound how far this exceeds the outbox's.
    fn encode_all(&mut self, metrics: impl FnOnce(&mut Self) -> Vec<Envelope<'static>>) {
        loop {
            let before = self.consumer.len();
            self.take_queue();
            let left = self.consumer.len();
            if left == 0 || left >= before {
                break;
            }
            self.encode_items();
        }
        let metrics = metrics(self);
        self.add(metrics);
        self.encode_items();
    }

    /// Answers those whose batches are all settled, and those who wait in vain: the endpoint is out of reach.
    fn answer_waiters(&mut self) {
        let flying = self.under_way.values().map(|batch| batch.number).min();
        let pending = flying.into_iter().chain(self.outbox.oldest()).min();
        self.waiters.settle(pending);
        let in_vain = self.gate.is_closed(Instant::now()) && self.under_way.is_empty();
        if in_vain && self.closing.is_none() {
            self.waiters.fail(self.outbox.items());
        }
    }

    fn report_losses(&mut self) {
        let due = self
            .reported
            .is_none_or(|last| last.elapsed() >= REPORT_INTERVAL);
        if due && self.losses.take_news() {
            self.reported = Some(Instant::now());
            for dropped in self.losses.dropped() {
                otel_warn!(
                    name: "Export.ItemsDropped",
                    reason = dropped.reason.as_str(),
                    telemetry_type = dropped.telemetry_type.as_str(),
                    total = dropped.count
                );
            }
        }
    }

    fn is_done(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| {
            let idle = self.under_way.is_empty() && self.outbox.is_empty();
            idle || Instant::now() >= closing.deadline
        })
    }

    /// Counts what is left, and says how it ended.
    fn end(mut self) {
        let left = self.left();
        self.losses.count_each(DropReason::Shutdown, &left);
        let left = left.len();
        self.reported = None;
        self.report_losses();
        let failed = || Undelivered::Dropped(left);
        self.waiters.end(failed);
        if let Some(answer) = self.closing.and_then(|closing| closing.answer) {
            answer(if left == 0 { Ok(()) } else { Err(failed()) });
        }
    }

    /// What is still here.
    fn left(&mut self) -> Vec<ItemKind> {
        self.consumer.take(usize::MAX, &mut self.items);
        let flying = self.under_way.values();
        let flying = flying.flat_map(|batch| batch.kinds.iter().copied());
        let queued = self.items.iter().map(|item| item.telemetry_type().into());
        flying.chain(self.outbox.kinds()).chain(queued).collect()
    }
}
