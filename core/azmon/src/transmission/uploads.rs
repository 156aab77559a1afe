//! Batches from their creation until the service has answered for them: dispatch. `settling` processes the answers.
//!
//! Invariant: a batch is in exactly one place: the outbox, an upload, the writer of the disk, or a file alone. It
//! counts exactly once, as sent, stored or dropped.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use crate::error::Undelivered;
use crate::item::{DropReason, ItemCounters};
use crate::metrics::statistics::Statistics;
use crate::storage::StorageSettings;
use crate::transmission::batch::Batch;
use crate::transmission::circuit::Circuit;
use crate::transmission::disk::{Disk, Event, Then};
use crate::transmission::outbox::Outbox;
use crate::transmission::redirect::Target;
use crate::transmission::waiters::{Positions, Waiters};
use crate::transmission::{Reply, SendError, Status, Transport};

/// Maximum number of concurrent uploads: with batches of 4,096 items, more than 500,000 items per second to an endpoint
/// that is 100 ms away.
const MAX_CONCURRENT_UPLOADS: usize = 16;
/// Maximum number of batches that are read from disk ahead of their upload.
const MAX_DRAINED: usize = 4;

/// The batches on their way to one endpoint.
pub(super) struct Uploads {
    transport: Arc<dyn Transport>,
    pub(super) target: Target,
    pub(super) outbox: Outbox,
    pub(super) under_way: HashMap<Id, Upload>,
    tasks: JoinSet<Result<Reply, SendError>>,
    pub(super) circuit: Circuit,
    pub(super) disk: Disk,
    pub(super) waiters: Waiters,
    pub(super) counters: Arc<ItemCounters>,
    pub(super) recovered: Arc<ItemCounters>,
    pub(super) statistics: Statistics,
    pub(super) status: Arc<Status>,
    last_number: u64,
    pub(super) bad_requests: u32,
}

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) batch: Batch,
    pub(super) endpoint: String,
    pub(super) wave: u64,
}

impl Uploads {
    pub(super) fn new(
        transport: Arc<dyn Transport>,
        endpoint: String,
        storage: StorageSettings,
        max_memory: usize,
        counters: Arc<ItemCounters>,
        recovered: Arc<ItemCounters>,
        status: Arc<Status>,
    ) -> Self {
        Self {
            transport,
            target: Target::new(endpoint),
            outbox: Outbox::new(max_memory),
            under_way: HashMap::new(),
            tasks: JoinSet::new(),
            circuit: Circuit::new(),
            disk: Disk::new(storage, counters.clone(), recovered.clone()),
            waiters: Waiters::default(),
            counters,
            recovered,
            statistics: Statistics::default(),
            status,
            last_number: 0,
            bad_requests: 0,
        }
    }

    /// Takes a new batch, and returns its number.
    pub(super) fn add(&mut self, mut batch: Batch) -> u64 {
        self.last_number += 1;
        batch.number = self.last_number;
        let now = Instant::now();
        if self.disk.is_durable(now) {
            self.outbox.reserve(&batch);
            self.disk.write(batch, Then::Send);
        } else {
            self.outbox.add(batch);
        }
        self.last_number
    }

    pub(super) fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// Whether no progress is possible: no upload runs, and no batch may be sent or stored.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        self.under_way.is_empty() && self.circuit.is_open(now) && !self.disk.is_on(now)
    }

    /// Whether no batch is on its way, except those on disk alone.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.outbox.is_empty() && self.disk.writing().next().is_none()
    }

    /// Whether a batch on disk could be sent now, or the disk is still working.
    pub(super) fn may_drain(&self, now: Instant) -> bool {
        self.circuit.is_closed() && (self.disk.has_due(now) || self.disk.is_busy())
    }

    /// Sends the batches that may be sent now, and stores those that should wait on disk.
    pub(super) fn dispatch(&mut self, now: Instant) {
        let permits = self.circuit.permits(now, MAX_CONCURRENT_UPLOADS);
        let is_probe = !self.circuit.is_closed();
        while self.under_way.len() < permits
            && let Some(batch) = self.outbox.take(now, is_probe)
        {
            self.send(batch, now);
        }
        let is_needed = self.under_way.len() < permits && self.outbox.is_empty();
        let most = if is_probe { 1 } else { MAX_DRAINED };
        if is_needed || !is_probe {
            while self.under_way.len() < permits
                && self.disk.drained() < most
                && self.outbox.has_room()
                && self.disk.read_next(now, is_probe)
            {}
        }
        self.store(now);
        self.expire(now);
        self.disk.pump(now);
    }

    fn send(&mut self, batch: Batch, now: Instant) {
        let endpoint = self.target.endpoint(now).to_owned();
        let upload = self.transport.post(&endpoint, batch.body.clone());
        let id = self.tasks.spawn(upload).id();
        let wave = self.circuit.wave();
        self.under_way.insert(
            id,
            Upload {
                batch,
                endpoint,
                wave,
            },
        );
    }

    /// Stores all batches while the circuit is open, and otherwise those beyond half of the memory.
    fn store(&mut self, now: Instant) {
        if !self.disk.is_on(now) {
            return;
        }
        while (self.circuit.is_open(now) || self.outbox.is_half_full())
            && let Some(batch) = self.outbox.take_oldest()
        {
            self.shelve(batch);
        }
        // A batch with its own pause waits on disk rather than in memory.
        while let Some(batch) = self.outbox.take_paused() {
            self.shelve(batch);
        }
    }

    /// Moves a batch to the disk alone.
    fn shelve(&mut self, batch: Batch) {
        if batch.file.is_some() {
            self.disk.shelve(&batch);
            self.outbox.gone(batch.size());
        } else {
            self.disk.write(batch, Then::Wait);
        }
    }

    fn expire(&mut self, now: Instant) {
        if let Some(oldest) = now.checked_sub(self.disk.max_age()) {
            for batch in self.outbox.take_expired(oldest) {
                self.drop_batch(&batch, DropReason::Expired);
            }
        }
    }

    /// Waits for an upload or the disk. Pending if neither is active. Cancel safe.
    pub(super) async fn progress(&mut self) {
        tokio::select! {
            Some(answered) = self.tasks.join_next_with_id() => self.settle(answered),
            events = self.disk.finished() => self.stored(events),
        }
    }

    /// Processes events of the disk.
    fn stored(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Written(batch) => self.outbox.put_back(batch),
                Event::Shelved { size } => self.outbox.gone(size),
                Event::Failed(batch) => self.outbox.put_back(batch),
                Event::Read(mut batch) => {
                    self.last_number += 1;
                    batch.number = self.last_number;
                    self.outbox.add(batch);
                }
            }
        }
    }

    /// The earliest timer deadline; answers wake the loop themselves.
    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let is_free = self.under_way.len() < MAX_CONCURRENT_UPLOADS;
        let is_due = self.outbox.has_due(now) || self.disk.has_due(now);
        let probe = self
            .circuit
            .opens_until()
            .filter(|_| self.under_way.is_empty() && (is_due || !self.outbox.is_empty()));
        let retry = self.outbox.next_retry().filter(|_| is_free);
        let stored = self.disk.next_retry().filter(|_| is_free);
        // A pause that is over waits for the circuit or for another upload instead.
        let retries = [retry, stored]
            .into_iter()
            .flatten()
            .filter(|time| *time > now);
        let probe = probe.filter(|time| *time > now);
        let tidying = self.disk.next_tidying().filter(|time| *time > now);
        retries.chain(probe).chain(tidying).min()
    }

    /// The current location of batches.
    pub(super) fn positions(&self, now: Instant) -> Positions {
        let mut positions = Positions::default();
        let under_way = self.under_way.values();
        let under_way = under_way.filter_map(|upload| upload.batch.number_in_memory());
        positions
            .active
            .extend(under_way.chain(self.disk.writing()));
        let waits_in_vain = self.circuit.is_open(now) && self.under_way.is_empty();
        if waits_in_vain {
            positions.held.extend(self.outbox.ready());
        } else {
            positions.active.extend(self.outbox.ready());
        }
        positions.held.extend(self.outbox.paused());
        positions.held_items = self.outbox.items();
        positions
    }

    /// Answers callers whose batches are settled.
    pub(super) fn answer_waiters(&mut self, now: Instant) {
        if !self.waiters.is_empty() {
            let positions = self.positions(now);
            self.waiters.settle(&positions);
        }
    }

    /// Allows one more attempt of everything now, unless the service asked for the pause.
    pub(super) fn try_now(&mut self, now: Instant) {
        if !self.circuit.is_ordered(now) {
            self.circuit.try_now(now);
            self.transport.end_pauses();
            self.outbox.end_pauses();
            self.disk.end_pauses();
        }
    }

    /// Stops sending. Running uploads may have arrived: the process that finds their batches on disk sends them again.
    pub(super) fn stop_sending(&mut self) {
        self.tasks.abort_all();
        self.tasks = JoinSet::new();
        for (_, upload) in self.under_way.drain() {
            self.outbox.put_back(upload.batch);
        }
    }

    /// Stores all batches in memory, as far as the deadline allows.
    pub(super) async fn store_all(&mut self, deadline: Instant) {
        self.stop_sending();
        if !self.disk.is_on(Instant::now()) {
            return;
        }
        loop {
            while let Some(batch) = self.outbox.take_oldest() {
                self.shelve(batch);
            }
            self.disk.pump(Instant::now());
            if !self.disk.is_busy() {
                return;
            }
            let events = tokio::time::timeout_at(deadline, self.disk.finished()).await;
            let Ok(events) = events else { return };
            self.stored(events);
            // A batch that came back because the disk failed cannot be stored.
            if !self.disk.is_on(Instant::now()) {
                return;
            }
        }
    }

    /// Drops the batches left in memory, and answers all waiting callers.
    pub(super) fn end(&mut self) -> usize {
        self.stop_sending();
        let mut left = 0;
        let mut batches = self.disk.take_writing();
        batches.extend(std::iter::from_fn(|| self.outbox.take_oldest()));
        for batch in batches {
            if batch.file.is_some() {
                self.disk.shelve(&batch);
            } else {
                left += batch.items();
                let labels = batch.labels.iter().copied();
                self.counters_of(&batch)
                    .drop_open(DropReason::Shutdown, labels);
            }
        }
        self.waiters.end(|| Undelivered::Dropped(left));
        left
    }

    /// Updates the published state.
    pub(super) fn update_status(&self, now: Instant) {
        self.status.update(|status| {
            status.circuit = self.circuit.state(now);
            status.memory_bytes = self.outbox.bytes();
            status.disk_bytes = self.disk.bytes();
            status.disk_batches = self.disk.batches();
        });
    }
}
