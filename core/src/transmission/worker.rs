use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::{Context, otel_debug, otel_warn};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::mapping::Mapper;
use crate::pipeline::{Consumer, Item};
use crate::transmission::batch::Batch;
use crate::transmission::encoder::Encoder;
use crate::transmission::gate::Gate;
use crate::transmission::outbox::Outbox;
use crate::transmission::redirect;
use crate::transmission::response::{Verdict, judge};
use crate::transmission::transmitter::{Answer, Command};
use crate::transmission::waiters::Waiters;
use crate::transmission::{
    DropReason, Losses, Reply, SendError, Transmitter, Transport, Undelivered,
};

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
}

/// The loop that owns everything on its way.
pub(crate) struct Worker {
    options: WorkerOptions,
    commands: UnboundedReceiver<Command>,
    consumer: Consumer,
    mapper: Arc<Mapper>,
    losses: Arc<Losses>,
    encoder: Encoder,
    items: Vec<Item>,
    /// Since when something waits in the queue.
    queued_since: Option<Instant>,
    outbox: Outbox,
    uploads: JoinSet<Result<Reply, SendError>>,
    under_way: HashMap<Id, Batch>,
    gate: Gate,
    redirects: u32,
    waiters: Waiters,
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
        options: WorkerOptions,
        consumer: Consumer,
        mapper: Arc<Mapper>,
    ) -> (Transmitter, Self) {
        let losses = Arc::new(Losses::default());
        let (transmitter, commands) = Transmitter::new(losses.clone());
        let worker = Self {
            options,
            commands,
            consumer,
            mapper,
            encoder: Encoder::new(losses.clone()),
            losses,
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
        loop {
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
        let mut items = std::mem::take(&mut self.items);
        self.consumer.take(ITEMS_AT_ONCE, &mut items);
        let mapper = self.mapper.clone();
        self.encode(&mapper, &items);
        items.clear();
        self.items = items;
    }

    fn encode(&mut self, mapper: &Mapper, items: &[Item]) {
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
        [due, retry, end].into_iter().flatten().min()
    }

    fn obey(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Export {
                mapper,
                items,
                answer,
            }) => {
                self.encode(&mapper, &items);
                self.gate.try_now(Instant::now());
                self.waiters.add(self.encoder.last(), answer);
            }
            Some(Command::Flush { answer }) => {
                self.encode_all();
                self.gate.try_now(Instant::now());
                self.waiters.add(self.encoder.last(), answer);
            }
            Some(Command::Shutdown { deadline, answer }) => self.close(deadline, Some(answer)),
            None => self.close(Instant::now() + ABANDONED_SHUTDOWN, None),
        }
    }

    fn close(&mut self, deadline: Instant, answer: Option<Answer>) {
        self.encode_all();
        self.gate.try_now(Instant::now());
        self.closing = Some(Closing { deadline, answer });
    }

    /// The queue's limits bound how far this exceeds the outbox's.
    fn encode_all(&mut self) {
        loop {
            let before = self.consumer.len();
            self.encode_queue();
            if self.consumer.len() == 0 || self.consumer.len() >= before {
                return;
            }
        }
    }

    /// Does what the answer to an upload asks for.
    fn settle(&mut self, answered: Result<(Id, Result<Reply, SendError>), JoinError>) {
        let (id, result) = match answered {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(SendError(error.to_string()))),
        };
        let Some(batch) = self.under_way.remove(&id) else {
            return;
        };
        self.outbox.answered(&batch);
        match result {
            Ok(reply) => {
                let verdict = judge(&reply, batch.items, SystemTime::now());
                self.apply(verdict, batch, reply.status);
            }
            Err(error) => {
                otel_warn!(name: "Export.NoAnswer", endpoint = self.options.endpoint.as_str(), error = error.to_string());
                self.retry(batch, None);
            }
        }
    }

    fn apply(&mut self, verdict: Verdict, batch: Batch, status: u16) {
        if !matches!(verdict, Verdict::Redirect { .. }) {
            self.redirects = 0;
        }
        match verdict {
            Verdict::Accepted => self.gate.succeeded(),
            Verdict::Partial {
                retry,
                retry_after,
                refused,
                message,
            } => {
                self.refuse(&batch, refused, &message);
                self.keep(&batch, &retry, retry_after);
            }
            Verdict::Retry { retry_after } => {
                otel_warn!(name: "Export.Postponed", endpoint = self.options.endpoint.as_str(), status = status);
                self.retry(batch, retry_after);
            }
            Verdict::Redirect { location } => self.redirect(batch, &location),
            Verdict::Split => self.split(&batch),
            Verdict::Refused { message } => {
                self.gate.succeeded();
                self.refuse(&batch, batch.items, &message);
            }
        }
    }

    fn retry(&mut self, batch: Batch, retry_after: Option<Duration>) {
        self.gate
            .failed(Instant::now(), retry_after, fastrand::f64());
        self.outbox.put_back(batch);
    }

    fn keep(&mut self, batch: &Batch, items: &[usize], retry_after: Option<Duration>) {
        if items.is_empty() {
            return self.gate.succeeded();
        }
        match batch.only(items) {
            Ok(rest) => self.retry(rest, retry_after),
            Err(_) => self.drop_items(batch.number, items.len(), DropReason::Internal),
        }
    }

    fn split(&mut self, batch: &Batch) {
        if batch.items <= 1 {
            return self.drop_items(batch.number, batch.items, DropReason::TooLarge);
        }
        match batch.halves() {
            Ok([first, second]) => {
                self.outbox.put_back(second);
                self.outbox.put_back(first);
            }
            Err(_) => self.drop_items(batch.number, batch.items, DropReason::Internal),
        }
    }

    /// Everything goes to the new address from now on, until the process ends.
    fn redirect(&mut self, batch: Batch, location: &str) {
        self.redirects += 1;
        match redirect::follow(&self.options.endpoint, location) {
            Some(endpoint) if self.redirects <= redirect::MOST => {
                otel_debug!(name: "Export.Redirected", from = self.options.endpoint.as_str(), to = endpoint.as_str());
                self.options.endpoint = endpoint;
                self.outbox.put_back(batch);
            }
            _ => {
                otel_warn!(name: "Export.RedirectRefused", endpoint = self.options.endpoint.as_str(), location = location);
                self.redirects = 0;
                self.retry(batch, None);
            }
        }
    }

    fn refuse(&mut self, batch: &Batch, items: usize, message: &str) {
        if items > 0 {
            otel_warn!(name: "Export.Refused", endpoint = self.options.endpoint.as_str(), items = items, message = message);
            self.drop_items(batch.number, items, DropReason::Rejected);
        }
    }

    fn drop_items(&mut self, batch: u64, items: usize, reason: DropReason) {
        self.losses.count(reason, items);
        self.waiters.dropped(batch, items);
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
                otel_warn!(name: "Export.ItemsDropped", reason = dropped.reason.as_str(), total = dropped.count);
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
        let flying: usize = self.under_way.values().map(|batch| batch.items).sum();
        let left = flying + self.outbox.items() + self.consumer.len();
        self.losses.count(DropReason::Shutdown, left);
        self.reported = None;
        self.report_losses();
        let failed = || Undelivered::Dropped(left);
        self.waiters.end(failed);
        if let Some(answer) = self.closing.and_then(|closing| closing.answer) {
            answer(if left == 0 { Ok(()) } else { Err(failed()) });
        }
    }
}
