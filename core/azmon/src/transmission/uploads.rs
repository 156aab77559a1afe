//! Batches from their creation until the service has answered for them: dispatch and settlement.
//!
//! Invariant: a batch is in exactly one place: the outbox, an upload, the writer of the disk, or a file alone. It
//! counts exactly once, as sent, stored or dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::{otel_debug, otel_warn};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::error::Undelivered;
use crate::item::{DropReason, ItemCounters, ItemLabel};
use crate::metrics::statistics::Statistics;
use crate::storage::StorageSettings;
use crate::transmission::batch::Batch;
use crate::transmission::circuit::{Circuit, Failure};
use crate::transmission::disk::{Disk, Event, Then};
use crate::transmission::outbox::Outbox;
use crate::transmission::redirect::{Redirected, Target};
use crate::transmission::response::{ResponseAction, classify};
use crate::transmission::waiters::{Positions, Waiters};
use crate::transmission::{Reply, SendError, Status, Transport, backoff};

/// Maximum number of concurrent uploads: with batches of 4,096 items, more than 500,000 items per second to an endpoint
/// that is 100 ms away.
const MAX_CONCURRENT_UPLOADS: usize = 16;
/// Maximum number of batches that are read from disk ahead of their upload.
const MAX_DRAINED: usize = 4;
/// Maximum number of attempts for a batch whose answers are unreadable.
const MAX_UNREADABLE: u32 = 3;
/// Maximum number of consecutive bad requests without a success. Further batches are refused as a whole, because the
/// cause affects all of them, such as a wrong key. The limit is enough to find three bad items in a full batch.
const MAX_BAD_REQUESTS: u32 = 64;

/// The batches on their way to one endpoint.
pub(super) struct Uploads {
    transport: Arc<dyn Transport>,
    target: Target,
    pub(super) outbox: Outbox,
    under_way: HashMap<Id, Upload>,
    tasks: JoinSet<Result<Reply, SendError>>,
    pub(super) circuit: Circuit,
    pub(super) disk: Disk,
    pub(super) waiters: Waiters,
    counters: Arc<ItemCounters>,
    recovered: Arc<ItemCounters>,
    pub(super) statistics: Statistics,
    status: Arc<Status>,
    last_number: u64,
    bad_requests: u32,
}

#[derive(Debug)]
struct Upload {
    batch: Batch,
    endpoint: String,
    wave: u64,
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

    /// Processes the answer to an upload.
    fn settle(&mut self, answered: Result<(Id, Result<Reply, SendError>), JoinError>) {
        let (id, result) = match answered {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(SendError::new(error.to_string()))),
        };
        let Some(upload) = self.under_way.remove(&id) else {
            return;
        };
        match result {
            Ok(reply) => {
                let action = classify(&reply, upload.batch.items(), SystemTime::now());
                self.apply(action, upload);
            }
            Err(error) => {
                otel_warn!(name: "Export.NoAnswer", endpoint = upload.endpoint.as_str(), error = error.to_string());
                self.status.failed(error.to_string());
                self.target.reset();
                let labels = upload.batch.labels.iter();
                self.statistics.retried(None, labels.copied());
                self.retry(upload, None, error.is_outage());
            }
        }
    }

    fn apply(&mut self, action: ResponseAction, upload: Upload) {
        if !matches!(action, ResponseAction::Redirect { .. }) {
            self.target.answered();
        }
        match action {
            ResponseAction::Accepted => {
                self.succeeded();
                self.deliver(&upload.batch);
            }
            ResponseAction::Partial {
                retry,
                retry_after,
                refused,
                message,
            } => self.apply_partial(upload, &retry, retry_after, &refused, &message),
            ResponseAction::Retry {
                status,
                retry_after,
            } => {
                otel_warn!(name: "Export.Postponed", endpoint = upload.endpoint.as_str(), status = status);
                self.status.failed(format!("the service answered {status}"));
                let labels = upload.batch.labels.iter();
                self.statistics.retried(Some(status), labels.copied());
                self.retry(upload, retry_after, false);
            }
            ResponseAction::Redirect { location } => self.redirect(upload, &location),
            ResponseAction::Split => self.split(&upload.batch, DropReason::TooLarge),
            ResponseAction::Isolate { message } => self.isolate(&upload, &message),
            ResponseAction::RefuseSome { refused, message } => {
                self.circuit.succeeded();
                self.refuse(&upload, &refused, &message);
                let rest = others(upload.batch.items(), &refused);
                self.replace(&upload.batch, &rest, None);
            }
            ResponseAction::Unreadable => self.unreadable(upload),
            ResponseAction::Refused { status, message } => {
                self.circuit.succeeded();
                let all: Vec<_> = (0..upload.batch.items())
                    .map(|index| (index, status))
                    .collect();
                self.refuse(&upload, &all, &message);
                self.finish(&upload.batch);
            }
        }
    }

    fn succeeded(&mut self) {
        self.circuit.succeeded();
        self.status.succeeded();
        self.bad_requests = 0;
    }

    /// Counts a batch that the service accepted.
    fn deliver(&mut self, batch: &Batch) {
        self.counters_of(batch).sent(batch.labels.iter().copied());
        self.finish(batch);
    }

    /// Forgets a batch whose items are all counted or in other batches.
    fn finish(&mut self, batch: &Batch) {
        self.outbox.gone(batch.size());
        self.disk.remove(batch);
    }

    fn retry(&mut self, upload: Upload, retry_after: Option<std::time::Duration>, is_outage: bool) {
        let Upload {
            mut batch, wave, ..
        } = upload;
        let now = Instant::now();
        let failure = Failure {
            batch: batch.number,
            wave,
            successes: batch.failed_after,
            retry_after,
            is_outage,
        };
        self.circuit.failed(now, &failure, fastrand::f64());
        batch.failed_after = Some(self.circuit.successes());
        batch.attempts = batch.attempts.saturating_add(1);
        batch.not_before = Some(now + backoff::pause(batch.attempts, fastrand::f64()));
        self.outbox.put_back(batch);
    }

    fn apply_partial(
        &mut self,
        upload: Upload,
        retry: &[(usize, u16)],
        retry_after: Option<std::time::Duration>,
        refused: &[(usize, u16)],
        message: &str,
    ) {
        self.succeeded();
        let mut unsettled: Vec<_> = retry.iter().chain(refused).copied().collect();
        unsettled.sort_unstable();
        let accepted = others(upload.batch.items(), &unsettled);
        let labels = upload.batch.labels_of(&accepted);
        self.counters_of(&upload.batch).sent(labels);
        self.refuse(&upload, refused, message);
        for (index, status) in retry {
            let label = upload.batch.labels_of(&[*index]);
            self.statistics.retried(Some(*status), label);
        }
        if retry_after.is_some() && !retry.is_empty() {
            let failure = Failure {
                batch: upload.batch.number,
                wave: upload.wave,
                successes: None,
                retry_after,
                is_outage: false,
            };
            self.circuit
                .failed(Instant::now(), &failure, fastrand::f64());
        }
        let numbers: Vec<_> = retry.iter().map(|(index, _)| *index).collect();
        self.replace(&upload.batch, &numbers, Some(upload.batch.attempts + 1));
    }

    /// Replaces a batch by some of its items: sent at once, or with a pause if `attempts` is set.
    fn replace(&mut self, batch: &Batch, items: &[usize], attempts: Option<u32>) {
        if !items.is_empty() {
            match batch.only(items) {
                Ok(mut rest) => {
                    if let Some(attempts) = attempts {
                        let pause = backoff::pause(attempts, fastrand::f64());
                        rest.attempts = attempts;
                        rest.failed_after = Some(self.circuit.successes());
                        rest.not_before = Some(Instant::now() + pause);
                    }
                    self.outbox.reserve(&rest);
                    self.keep_part(rest);
                }
                Err(_) => {
                    let labels = batch.labels_of(items);
                    self.drop_items(batch, &labels, DropReason::Internal);
                }
            }
        }
        self.finish(batch);
    }

    /// Takes a part of a batch. In durable mode, the part must be on disk before the whole is removed.
    fn keep_part(&mut self, part: Batch) {
        if self.disk.is_durable(Instant::now()) {
            let then = match part.not_before {
                Some(_) => Then::Wait,
                None => Then::Send,
            };
            self.disk.write(part, then);
        } else {
            self.outbox.put_back(part);
        }
    }

    fn split(&mut self, batch: &Batch, reason: DropReason) {
        if batch.items() <= 1 {
            return self.drop_batch(batch, reason);
        }
        match batch.halves() {
            Ok(halves) => {
                for half in halves.into_iter().rev() {
                    self.outbox.reserve(&half);
                    if self.disk.is_durable(Instant::now()) {
                        self.disk.write(half, Then::Send);
                    } else {
                        self.outbox.put_front(half);
                    }
                }
                self.finish(batch);
            }
            Err(_) => self.drop_batch(batch, DropReason::Internal),
        }
    }

    /// Searches for the item that makes the service refuse the whole batch.
    fn isolate(&mut self, upload: &Upload, message: &str) {
        self.circuit.succeeded();
        self.bad_requests += 1;
        let batch = &upload.batch;
        if batch.items() > 1 && self.bad_requests <= MAX_BAD_REQUESTS {
            return self.split(batch, DropReason::Rejected);
        }
        let all: Vec<_> = (0..batch.items()).map(|index| (index, 400)).collect();
        self.refuse(upload, &all, message);
        self.finish(batch);
    }

    /// The service accepted an unknown part of the batch: a retry would duplicate this part, and giving up would lose
    /// the other.
    fn unreadable(&mut self, upload: Upload) {
        self.status
            .failed("the answer to a partial success cannot be read".to_owned());
        if upload.batch.attempts + 1 < MAX_UNREADABLE {
            let labels = upload.batch.labels.iter();
            self.statistics.retried(Some(206), labels.copied());
            return self.retry(upload, None, false);
        }
        let all: Vec<_> = (0..upload.batch.items())
            .map(|index| (index, 206))
            .collect();
        self.refuse(&upload, &all, "the answer cannot be read");
        self.finish(&upload.batch);
    }

    fn redirect(&mut self, upload: Upload, location: &str) {
        let now = Instant::now();
        match self.target.redirect(&upload.endpoint, location, now) {
            Redirected::Followed => {
                let to = self.target.endpoint(now);
                otel_debug!(name: "Export.Redirected", from = upload.endpoint.as_str(), to = to);
                self.outbox.put_front(upload.batch);
            }
            Redirected::Refused => {
                otel_warn!(name: "Export.RedirectRefused", endpoint = upload.endpoint.as_str(), location = location);
                self.status
                    .failed("a redirect leads to a foreign host, or in a circle".to_owned());
                self.retry(upload, None, false);
            }
        }
    }

    /// Counts items that the service refused.
    fn refuse(&mut self, upload: &Upload, items: &[(usize, u16)], message: &str) {
        if items.is_empty() {
            return;
        }
        otel_warn!(name: "Export.Refused", endpoint = upload.endpoint.as_str(), items = items.len(), message = message);
        self.status.failed(message.to_owned());
        for (index, status) in items {
            let label = upload.batch.labels_of(&[*index]);
            self.statistics.rejected(*status, &label);
            self.drop_items(&upload.batch, &label, DropReason::Rejected);
        }
    }

    fn drop_batch(&mut self, batch: &Batch, reason: DropReason) {
        self.drop_items(batch, &batch.labels, reason);
        self.finish(batch);
    }

    fn drop_items(&mut self, batch: &Batch, labels: &[ItemLabel], reason: DropReason) {
        self.counters_of(batch)
            .drop_open(reason, labels.iter().copied());
        self.waiters.dropped(batch.number, labels.len());
    }

    fn counters_of(&self, batch: &Batch) -> &ItemCounters {
        if batch.is_recovered {
            &self.recovered
        } else {
            &self.counters
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
        let under_way = self.under_way.values().map(|upload| upload.batch.number);
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

/// The numbers below `items` that are missing in the sorted `listed`.
fn others(items: usize, listed: &[(usize, u16)]) -> Vec<usize> {
    let is_listed = |index: &usize| {
        listed
            .binary_search_by_key(index, |(listed, _)| *listed)
            .is_ok()
    };
    (0..items).filter(|index| !is_listed(index)).collect()
}
