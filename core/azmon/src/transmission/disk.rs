//! The worker's view of the storage: the batches on disk, and the pending file operations.
//!
//! All input and output happens on another thread, one job at a time, so the worker's loop never waits for it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use opentelemetry::otel_warn;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::item::{DropReason, ItemCounters, LabelCounts, TelemetryType};
use crate::storage::{self, FileName, Found, Header, Operation, Outcome, Shelf, StorageSettings};
use crate::transmission::backoff;
use crate::transmission::batch::Batch;

/// Interval of the search for batches of ended processes and for expired batches.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);
/// Pause of storage after a failure.
const OFF_TIME: Duration = Duration::from_secs(10 * 60);

/// The batches on disk.
#[derive(Debug)]
pub(super) struct Disk {
    settings: StorageSettings,
    /// `None` until the directory is open.
    shelf: Option<Arc<Shelf>>,
    /// The end of the pause after a failure; nothing is written until then.
    off_until: Option<Instant>,
    has_warned: bool,
    entries: BTreeMap<FileName, Stored>,
    bytes: u64,
    /// Number of batches that were read and wait in memory to be sent.
    drained: usize,
    /// Batches that are being written, and their next step.
    writing: HashMap<FileName, Writing>,
    queue: Vec<Operation>,
    /// Files that could not be removed.
    unremoved: Vec<FileName>,
    job: Option<JoinHandle<Done>>,
    next_number: u64,
    tidied: Option<Instant>,
    counters: Arc<ItemCounters>,
    /// Counts the items that earlier processes left.
    recovered: Arc<ItemCounters>,
}

#[derive(Debug)]
enum Done {
    Opened(io::Result<Shelf>),
    Performed(Vec<Outcome>),
}

/// A batch on disk.
#[derive(Debug)]
struct Stored {
    bytes: u64,
    /// `None` for a batch of another process that was not read yet.
    counts: Option<LabelCounts>,
    attempts: u32,
    not_before: Option<Instant>,
    failed_after: Option<u64>,
    made: Instant,
    is_recovered: bool,
    place: Place,
}

/// The location of a batch besides the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    DiskAlone,
    /// In memory since it was made.
    Fresh,
    /// In memory since it was read, or about to be read.
    Drained,
}

#[derive(Debug)]
struct Writing {
    batch: Batch,
    then: Then,
}

/// The next step of a written batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Send it at once: durable mode.
    Send,
    /// Read it again once the endpoint is available.
    Wait,
}

/// A result for the batches on disk.
#[derive(Debug)]
pub(super) enum Event {
    /// The batch is on disk, and in memory to be sent.
    Written(Batch),
    /// The batch is on disk only.
    Shelved { size: usize },
    /// The batch could not be written.
    Failed(Batch),
    /// The batch was read, to be sent.
    Read(Batch),
}

impl Disk {
    pub(super) fn new(
        settings: StorageSettings,
        counters: Arc<ItemCounters>,
        recovered: Arc<ItemCounters>,
    ) -> Self {
        Self {
            settings,
            shelf: None,
            off_until: None,
            has_warned: false,
            entries: BTreeMap::new(),
            bytes: 0,
            drained: 0,
            writing: HashMap::new(),
            queue: Vec::new(),
            unremoved: Vec::new(),
            job: None,
            next_number: 0,
            tidied: None,
            counters,
            recovered,
        }
    }

    /// Whether batches can be written at `now`.
    pub(super) fn is_on(&self, now: Instant) -> bool {
        self.settings.directory.is_some() && self.off_until.is_none_or(|time| time <= now)
    }

    pub(super) fn is_durable(&self, now: Instant) -> bool {
        self.settings.is_durable && self.is_on(now)
    }

    pub(super) fn max_age(&self) -> Duration {
        self.settings.max_age
    }

    /// Total size of the files, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Number of batches on disk.
    pub(super) fn batches(&self) -> usize {
        self.entries.len()
    }

    /// The numbers of the batches that are being written.
    pub(super) fn writing(&self) -> impl Iterator<Item = u64> {
        self.writing.values().map(|writing| writing.batch.number)
    }

    /// Whether operations are pending or running.
    pub(super) fn is_busy(&self) -> bool {
        self.job.is_some() || !self.queue.is_empty() || !self.writing.is_empty()
    }

    /// Returns the batches that are not written yet, at the end.
    pub(super) fn take_writing(&mut self) -> Vec<Batch> {
        let writing = self.writing.drain();
        writing.map(|(_, writing)| writing.batch).collect()
    }

    /// Number of batches that were read and wait in memory to be sent.
    pub(super) fn drained(&self) -> usize {
        self.drained
    }

    /// Writes a batch that is in no file. It belongs to the disk until an event returns it.
    pub(super) fn write(&mut self, batch: Batch, then: Then) {
        let Some(shelf) = &self.shelf else {
            // The batch gets its name once the owner is known.
            let name = FileName::new(
                storage::milliseconds(batch.created),
                "-",
                self.number(),
                batch.items(),
            );
            self.writing.insert(name, Writing { batch, then });
            return;
        };
        let owner = shelf.owner().to_owned();
        self.enqueue(batch, then, &owner);
    }

    fn enqueue(&mut self, batch: Batch, then: Then, owner: &str) {
        let name = FileName::new(
            storage::milliseconds(batch.created),
            owner,
            self.number(),
            batch.items(),
        );
        let header = Header {
            created: batch.created,
            labels: batch.labels.clone(),
        };
        let content = storage::encode(&header, &batch.body);
        self.queue.push(Operation::Write(name.clone(), content));
        self.writing.insert(name, Writing { batch, then });
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Leaves a batch on disk, where it already is, and forgets its body.
    pub(super) fn shelve(&mut self, batch: &Batch) {
        let Some(stored) = batch
            .file
            .as_ref()
            .and_then(|name| self.entries.get_mut(name))
        else {
            return;
        };
        self.drained -= usize::from(stored.place == Place::Drained);
        stored.place = Place::DiskAlone;
        stored.attempts = batch.attempts;
        stored.not_before = batch.not_before;
        stored.failed_after = batch.failed_after;
        let labels = batch.labels.iter().copied();
        counters(batch.is_recovered, &self.counters, &self.recovered).stored(labels);
    }

    /// Removes the file of a batch that is settled or was replaced by its parts.
    pub(super) fn remove(&mut self, batch: &Batch) {
        if let Some(name) = &batch.file {
            self.forget(name);
            self.queue.push(Operation::Remove(name.clone()));
        }
    }

    fn forget(&mut self, name: &FileName) -> Option<Stored> {
        let stored = self.entries.remove(name)?;
        self.bytes = self.bytes.saturating_sub(stored.bytes);
        self.drained -= usize::from(stored.place == Place::Drained);
        Some(stored)
    }

    /// Reads the oldest batch that may be sent at `now`; true if one exists.
    pub(super) fn read_next(&mut self, now: Instant, is_probe: bool) -> bool {
        let mut due = self
            .entries
            .iter_mut()
            .filter(|(_, stored)| stored.is_due(now));
        let next = if is_probe {
            due.min_by_key(|(_, stored)| stored.attempts)
        } else {
            due.next()
        };
        let Some((name, stored)) = next else {
            return false;
        };
        stored.place = Place::Drained;
        self.drained += 1;
        self.queue.push(Operation::Read(name.clone()));
        true
    }

    /// Ends the pauses of all batches.
    pub(super) fn end_pauses(&mut self) {
        for stored in self.entries.values_mut() {
            stored.not_before = None;
        }
    }

    /// The end of the next pause of a batch on disk.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        let waiting = self.entries.values();
        let waiting = waiting.filter(|stored| stored.place == Place::DiskAlone);
        waiting.filter_map(|stored| stored.not_before).min()
    }

    /// Whether a batch on disk may be sent at `now`.
    pub(super) fn has_due(&self, now: Instant) -> bool {
        self.entries.values().any(|stored| stored.is_due(now))
    }

    /// The time at which files are examined again, or storage is retried.
    pub(super) fn next_tidying(&self) -> Option<Instant> {
        self.settings.directory.as_ref()?;
        match self.tidied.filter(|_| self.shelf.is_some()) {
            Some(last) => Some(last + TIDY_INTERVAL),
            None => self.off_until,
        }
    }

    /// Starts the next job, if none is running.
    pub(super) fn pump(&mut self, now: Instant) {
        if self.job.is_some() {
            return;
        }
        let Some(shelf) = self.shelf.clone() else {
            if self.is_on(now)
                && let Some(root) = self.settings.directory.clone()
            {
                let files = self.settings.files.clone();
                self.job = Some(spawn_blocking(move || {
                    Done::Opened(Shelf::open(files, root))
                }));
            }
            return;
        };
        if self.tidied.is_none_or(|last| now >= last + TIDY_INTERVAL) {
            self.tidied = Some(now);
            self.queue.push(Operation::Adopt);
            let unremoved = std::mem::take(&mut self.unremoved);
            self.queue
                .extend(unremoved.into_iter().map(Operation::Remove));
            self.drop_expired(now);
        }
        if !self.queue.is_empty() {
            let operations = std::mem::take(&mut self.queue);
            self.job = Some(spawn_blocking(move || {
                Done::Performed(shelf.perform(operations))
            }));
        }
    }

    /// Waits for the running job. Pending if none is running. Cancel safe.
    pub(super) async fn finished(&mut self) -> Vec<Event> {
        let Some(job) = &mut self.job else {
            return std::future::pending().await;
        };
        let done = job.await;
        self.job = None;
        let now = Instant::now();
        match done {
            Ok(Done::Opened(Ok(shelf))) => self.opened(shelf),
            Ok(Done::Opened(Err(error))) => self.fail(&error, now),
            Ok(Done::Performed(outcomes)) => self.apply(outcomes, now),
            Err(error) => self.fail(&io::Error::other(error), now),
        }
    }

    fn opened(&mut self, shelf: Shelf) -> Vec<Event> {
        let owner = shelf.owner().to_owned();
        self.shelf = Some(Arc::new(shelf));
        let waiting = std::mem::take(&mut self.writing);
        for writing in waiting.into_values() {
            self.enqueue(writing.batch, writing.then, &owner);
        }
        Vec::new()
    }

    fn apply(&mut self, outcomes: Vec<Outcome>, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        let mut failure = None;
        for outcome in outcomes {
            match outcome {
                Outcome::Written(name, Ok(())) => events.extend(self.written(name)),
                Outcome::Written(name, Err(error)) => {
                    let failed = self.writing.remove(&name);
                    events.extend(failed.map(|writing| Event::Failed(writing.batch)));
                    failure.get_or_insert(error);
                }
                Outcome::Read(name, content) => events.extend(self.read(name, content)),
                Outcome::Removed(name, Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                    // Otherwise the next process would send it again.
                    self.unremoved.push(name);
                    failure.get_or_insert(error);
                }
                Outcome::Removed(..) => {}
                Outcome::Adopted(found) => self.adopted(found, now),
            }
        }
        if let Some(error) = failure {
            events.extend(self.fail(&error, now));
        }
        self.make_room();
        events
    }

    fn written(&mut self, name: FileName) -> Option<Event> {
        let Writing { mut batch, then } = self.writing.remove(&name)?;
        let stored = Stored {
            bytes: batch.body.len() as u64,
            counts: Some(batch.labels.iter().copied().collect()),
            attempts: batch.attempts,
            not_before: batch.not_before,
            failed_after: batch.failed_after,
            made: batch.made,
            is_recovered: batch.is_recovered,
            place: match then {
                Then::Send => Place::Fresh,
                Then::Wait => Place::DiskAlone,
            },
        };
        self.bytes += stored.bytes;
        self.entries.insert(name.clone(), stored);
        batch.file = Some(name);
        Some(match then {
            Then::Send => Event::Written(batch),
            Then::Wait => {
                let labels = batch.labels.iter().copied();
                counters(batch.is_recovered, &self.counters, &self.recovered).stored(labels);
                Event::Shelved { size: batch.size() }
            }
        })
    }

    fn read(&mut self, name: FileName, content: io::Result<Bytes>) -> Option<Event> {
        let content = match content {
            Ok(content) => Some(content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.lost(&name, DropReason::StorageDamaged);
                return None;
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
            // The disk fails, but the file may be complete.
            Err(_) => {
                self.put_off(&name);
                return None;
            }
        };
        let batch = content
            .and_then(|content| storage::decode(&content))
            .map(|(header, body)| Batch {
                created: header.created,
                ..Batch::new(header.labels, body)
            })
            .filter(Batch::is_sound);
        let Some(mut batch) = batch else {
            self.lost(&name, DropReason::StorageDamaged);
            self.queue.push(Operation::SetAside(name));
            return None;
        };
        let stored = self.entries.get_mut(&name)?;
        batch.attempts = stored.attempts;
        batch.failed_after = stored.failed_after;
        batch.made = stored.made;
        batch.is_recovered = stored.is_recovered;
        batch.file = Some(name);
        let labels = batch.labels.iter().copied();
        let counters = counters(batch.is_recovered, &self.counters, &self.recovered);
        if stored.counts.is_some() {
            counters.reopened(labels);
        } else {
            stored.counts = Some(batch.labels.iter().copied().collect());
            counters.take(labels);
        }
        Some(Event::Read(batch))
    }

    /// Postpones a batch that cannot be read at the moment.
    fn put_off(&mut self, name: &FileName) {
        if let Some(stored) = self.entries.get_mut(name) {
            self.drained -= usize::from(stored.place == Place::Drained);
            stored.place = Place::DiskAlone;
            stored.attempts = stored.attempts.saturating_add(1);
            let pause = backoff::pause(stored.attempts, fastrand::f64());
            stored.not_before = Some(Instant::now() + pause);
        }
    }

    /// Forgets a batch whose file is gone, and counts its items.
    fn lost(&mut self, name: &FileName, reason: DropReason) {
        let Some(stored) = self.forget(name) else {
            return;
        };
        let counters = counters(stored.is_recovered, &self.counters, &self.recovered);
        match stored.counts {
            Some(counts) => counters.drop_stored(reason, &counts),
            // For a batch of another process, only the number of items is known.
            None => counters.count(
                reason,
                TelemetryType::Trace,
                name.items().unwrap_or_default() as usize,
            ),
        }
    }

    fn adopted(&mut self, found: Vec<Found>, now: Instant) {
        for Found { name, bytes } in found {
            let age = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default()
                .saturating_sub(Duration::from_millis(name.created().unwrap_or_default()));
            let stored = Stored {
                bytes,
                counts: None,
                attempts: 0,
                not_before: None,
                failed_after: None,
                made: now.checked_sub(age).unwrap_or(now),
                is_recovered: true,
                place: Place::DiskAlone,
            };
            let is_new = self.entries.insert(name, stored).is_none();
            self.bytes += if is_new { bytes } else { 0 };
        }
        self.drop_expired(now);
    }

    /// Drops the oldest batches until the others are within the limits.
    fn make_room(&mut self) {
        while self.bytes > self.settings.max_bytes || self.entries.len() > self.settings.max_files {
            let waiting = self
                .entries
                .iter()
                .find(|(_, stored)| stored.place == Place::DiskAlone);
            let Some(oldest) = waiting.map(|(name, _)| name.clone()) else {
                return;
            };
            self.give_up(oldest, DropReason::StorageFull);
        }
    }

    fn drop_expired(&mut self, now: Instant) {
        let max_age = self.settings.max_age;
        let is_expired = |stored: &Stored| {
            stored.place == Place::DiskAlone && now.saturating_duration_since(stored.made) > max_age
        };
        let expired = self.entries.iter().filter(|(_, stored)| is_expired(stored));
        let expired: Vec<_> = expired.map(|(name, _)| name.clone()).collect();
        for name in expired {
            self.give_up(name, DropReason::Expired);
        }
    }

    fn give_up(&mut self, name: FileName, reason: DropReason) {
        self.lost(&name, reason);
        self.queue.push(Operation::Remove(name));
    }

    /// Pauses writing; batches wait in memory. Batches on disk can still be read.
    fn fail(&mut self, error: &io::Error, now: Instant) -> Vec<Event> {
        if !std::mem::replace(&mut self.has_warned, true) {
            otel_warn!(
                name: "Storage.Off",
                error = error.to_string(),
                hint = "telemetry waits in memory; make the directory writable, or set another one with `storage(Storage::at(..))`"
            );
        }
        self.off_until = Some(now + OFF_TIME);
        if error.kind() == io::ErrorKind::NotFound {
            // The directory was removed. The next attempt creates it again.
            self.shelf = None;
            let names: Vec<_> = self.entries.keys().cloned().collect();
            for name in names {
                if self
                    .entries
                    .get(&name)
                    .is_some_and(|stored| stored.place == Place::DiskAlone)
                {
                    self.lost(&name, DropReason::StorageDamaged);
                }
            }
        }
        self.queue
            .retain(|operation| !matches!(operation, Operation::Write(..)));
        let failed = self.writing.drain().map(|(_, writing)| writing.batch);
        failed.map(Event::Failed).collect()
    }
}

impl Stored {
    fn is_due(&self, now: Instant) -> bool {
        self.place == Place::DiskAlone && self.not_before.is_none_or(|time| time <= now)
    }
}

fn counters<'a>(
    is_recovered: bool,
    own: &'a ItemCounters,
    recovered: &'a ItemCounters,
) -> &'a ItemCounters {
    if is_recovered { recovered } else { own }
}
